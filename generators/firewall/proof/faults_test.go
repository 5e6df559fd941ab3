package proof_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

var examples = []string{"target", "host", "yaml/cluster.yaml", "everything", "vpn", "production"}

// backends returns the names of the backends.
func backends() []string {
	var out []string
	for _, b := range firewall.Backends() {
		out = append(out, b.Name)
	}
	return out
}

// TestFaults: the rules of each example let in what its spec wants, and nothing else, with each backend.
func TestFaults(t *testing.T) {
	for _, example := range examples {
		for _, backend := range backends() {
			c, _ := rulesetsOf(t, example, backend)
			sim, err := firewall.Simulate(c, filesOf(t, c))
			if err != nil {
				t.Fatal(err)
			}
			for f := range sim.Faults() {
				t.Errorf("%s, %s: %s", example, backend, f)
				break
			}
		}
	}
}

// broken is a ruleset with one thing wrong.
type broken struct{ what, text string }

// TestFaultsFindsWhatIsBroken breaks rules line by line, as a writer might: each ruleset is refused, or has a fault.
func TestFaultsFindsWhatIsBroken(t *testing.T) {
	for _, b := range []struct{ example, backend, duty string }{{"target", "nft", "-traefik"}, {"target", "iptables", "-traefik"}, {"vpn", "nft", "-vpn"}} {
		t.Run(b.example+"/"+b.backend, func(t *testing.T) {
			c, _ := rulesetsOf(t, b.example, b.backend)
			bothFamilies(c)
			rulesets := map[string]string{}
			for _, f := range filesOf(t, c) {
				rulesets[f.Path] = string(f.Data)
			}
			for _, class := range firewall.Classes(c) {
				if !strings.HasSuffix(class.Name, b.duty) {
					continue
				}
				for _, path := range class.Files(c) {
					breaks(t, c, class, rulesets, path)
				}
			}
		})
	}
}

// bothFamilies gives the nodes and the zones of a cluster addresses of IPv6 as well.
func bothFamilies(c *schema.Cluster) {
	for i := range c.Nodes {
		c.Nodes[i].Public = netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%d1", i+1))
	}
	net := func(n int) netip.Prefix { return netip.MustParsePrefix(fmt.Sprintf("2001:db8:%d::/48", n)) }
	c.Access.Management = append(c.Access.Management, net(10))
	c.Access.Nuvla = append(c.Access.Nuvla, net(20))
	c.Access.Users = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), net(30)}
}

func breaks(t *testing.T, c *schema.Cluster, class firewall.Class, rulesets map[string]string, path string) {
	all := mutants(rulesets[path])
	if len(all) < 100 {
		t.Errorf("%s: only %d ways to break it", path, len(all))
	}
	for _, b := range all {
		k := proof.Class{Nodes: class.Nodes}
		refused := false
		for _, p := range class.Files(c) {
			text := rulesets[p]
			if p == path {
				text = b.text
			}
			s, err := firewall.Read(ruleset(p, text))
			refused = refused || err != nil
			k.Rulesets = append(k.Rulesets, s)
		}
		if refused {
			continue
		}
		found := false
		for range proof.NewSimulator(c, []proof.Class{k}).Faults() {
			found = true
			break
		}
		if !found {
			t.Errorf("%s: %s: is not found", path, b.what)
		}
	}
}

// harmless are lines that decide about no first packet of a connection, or repeat what others do: with nft, what no rule
// accepts is dropped.
var harmless = regexp.MustCompile(`^\s*$|^\s*#|established|RELATED|ct state invalid|INVALID|log prefix|LOG` +
	`|^\s*counter \w+ \{|^\s*counter (name "\w+" goto refuse|drop)$|iifname "skep-mesh" counter name "forwarded"|-i skep-mesh -g SKEP-REFUSE` +
	`|crowd|CROWD|FULL| return$|size 65535`)

// idle reports whether a line of iptables stands in a chain that nothing leads to, or leads to one without rules: a class
// has all chains in both families.
func idle(text, line string) bool {
	in, to := chain.FindStringSubmatch(line), regexp.MustCompile(`-j (SKEP-\S+)`).FindStringSubmatch(line)
	return in != nil && in[1] != "SKEP" && !regexp.MustCompile(`(?m)-[gj] `+in[1]+`$`).MatchString(text) ||
		to != nil && !strings.Contains(text, "-A "+to[1]+" ")
}

// mutants returns the text with each line gone, each network wider, each port changed, and two sets or chains exchanged.
func mutants(text string) []broken {
	lines := strings.SplitAfter(text, "\n")
	var out []broken
	add := func(i int, what, line string) {
		changed := slices.Clone(lines)
		changed[i] = line
		out = append(out, broken{fmt.Sprintf("line %d, %q, %s", i+1, strings.TrimSpace(lines[i]), what), strings.Join(changed, "")})
	}
	for i, line := range lines {
		if harmless.MatchString(strings.TrimRight(line, "\n")) {
			continue
		}
		if idle(text, line) {
			continue
		}
		add(i, "is gone", "")
		for _, at := range network.FindAllStringIndex(line, -1) {
			if wide, ok := wider(line[at[0]:at[1]]); ok {
				add(i, "is wider: "+wide, line[:at[0]]+wide+line[at[1]:])
			}
		}
		if m := port.FindStringSubmatchIndex(line); m != nil {
			n, _ := strconv.Atoi(line[m[2]:m[3]])
			add(i, "has another port", line[:m[2]]+strconv.Itoa(n+1)+line[m[3]:])
		}
	}
	return append(out, exchanged(text)...)
}

var (
	network = regexp.MustCompile(`[0-9a-f]*[.:][0-9a-f.:]*(/[0-9]+)?`)
	chain   = regexp.MustCompile(`^-A (\S+)`)
	port    = regexp.MustCompile(`(?:dport |dport \{ )([0-9]+)`)
)

// wider returns the network twice as wide.
func wider(text string) (string, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "", false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Bits() == 0 {
		return "", false
	}
	return netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked().String(), true
}

// exchanged swaps the names of sets, and of chains of zones, where they are made.
func exchanged(text string) []broken {
	var out []broken
	made := regexp.MustCompile(`(?m)^\tset (\w+[46]) |^\tchain (from_\w+) |^-A (SKEP-(?:mgmt|nuvla|users|nodes)[\w-]*) -s`)
	var names []string
	for _, m := range made.FindAllStringSubmatch(text, -1) {
		if name := m[1] + m[2] + m[3]; !slices.Contains(names, name) && !strings.HasPrefix(name, "crowd") {
			names = append(names, name)
		}
	}
	for i, a := range names {
		for _, b := range names[i+1:] {
			swapped := made.ReplaceAllStringFunc(text, func(s string) string {
				return regexp.MustCompile(`\b(`+a+`|`+b+`) `).ReplaceAllStringFunc(s, func(name string) string {
					return map[string]string{a + " ": b + " ", b + " ": a + " "}[name]
				})
			})
			out = append(out, broken{a + " and " + b + " are exchanged", swapped})
		}
	}
	return out
}

// TestFaultsFindsNodesMixedUp: a node that loads the rules of another class is found, whatever class the writer put it in.
func TestFaultsFindsNodesMixedUp(t *testing.T) {
	for _, backend := range backends() {
		c, rulesets := rulesetsOf(t, "target", backend)
		classes := firewall.Classes(c)
		mixed := proof.Class{Nodes: slices.Concat(classes[0].Nodes, classes[1].Nodes)}
		for _, path := range classes[0].Files(c) {
			s, err := firewall.Read(ruleset(path, rulesets[path]))
			if err != nil {
				t.Fatal(err)
			}
			mixed.Rulesets = append(mixed.Rulesets, s)
		}
		nodes := map[string]bool{}
		for f := range proof.NewSimulator(c, []proof.Class{mixed}).Faults() {
			nodes[f.Node.Name] = true
		}
		if nodes[classes[0].Nodes[0]] || !nodes[classes[1].Nodes[0]] {
			t.Errorf("%s: found on %v, want %v", backend, nodes, classes[1].Nodes)
		}
	}
}

// TestStandsApart: what proves the rules imports nothing of what writes them, and cannot repeat its mistakes.
func TestStandsApart(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(path, "skep.dev/generators") && path != "skep.dev/generators/firewall/netset" {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
