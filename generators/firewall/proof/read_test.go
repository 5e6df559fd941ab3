package proof_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// rulesetsOf returns the rulesets of an example with a backend, by path.
func rulesetsOf(t testing.TB, example, backend string) (*schema.Cluster, map[string]string) {
	t.Helper()
	c, _, err := spec.Load("../../../examples/" + example)
	if err != nil {
		t.Fatal(err)
	}
	c.Firewall.Backend = backend
	files, err := firewall.Files(c)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		if firewall.IsRuleset(f.Path) {
			out[f.Path] = string(f.Data)
		}
	}
	return c, out
}

// ruleset is a file of a bundle.
func ruleset(path, text string) artifact.File { return artifact.File{Path: path, Data: []byte(text)} }

// TestReadRefuses changes one line of a ruleset; each change is refused at that line, never skipped.
func TestReadRefuses(t *testing.T) {
	for _, test := range []struct{ backend, old, changed string }{
		{"nft", "table inet skep\n", "table ip skep\n"},
		{"nft", "policy drop;", "policy accept;"},
		{"nft", "priority mangle", "priority raw"},
		{"nft", "\t\ttype filter hook prerouting priority mangle; policy drop;\n", ""}, // no packet would come by
		{"nft", "flags interval", "flags timeout"},
		{"nft", "type ipv4_addr", "type ether_addr"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport 22 counter goto"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport != 22 goto"},
		{"nft", "\ttcp dport 22 goto", "\tth dport 22 goto"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport 22-21 goto"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport { 22, 21 } goto"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport ssh goto"},
		{"nft", "\ttcp dport 22 goto", "\ttcp dport 70000 goto"},
		{"nft", "ct state invalid counter", "ct mark 1 counter"},
		{"nft", "jump control", "jump"},
		{"nft", "fib saddr . iif oif missing", "fib saddr oif missing"},
		{"nft", "fib saddr . iif oif missing", "fib saddr . iif oif exists"},
		{"nft", "ip saddr @management4", "ip saddr @nobody4"},
		{"nft", "ip saddr @management4", "ip6 saddr @management4"},
		{"nft", "counter name \"forged\" goto", "counter name \"forged\" accept comment \"goto"},
		{"nft", "counter name \"forged\" goto", "counter name forged goto"},
		{"nft", "counter forged {", "quota forged {"},
		{"nft", "fib saddr . iif oif exists accept", "fib saddr oif exists accept"},
		{"nft", "destination-unreachable, echo-request", "redirect, echo-request"},
		{"nft", "counter drop", "reject"},
		{"nft", "chain refuse {", "chain control {"},
		{"nft", "goto from_management ", "goto elsewhere "},
		{"iptables", "*mangle", "*filter"},
		{"iptables", ":SKEP - [0:0]", ":SKEP ACCEPT [0:0]"},
		{"iptables", "--dport 22 ", "--dport 22:21 "},
		{"iptables", "--dport 22 ", "! --dport 22 "},
		{"iptables", "-p tcp --dport 22 ", "-p tcp -m multiport --dports 22,23 "},
		{"iptables", "-i docker0 -g", "-o docker0 -g"},
		{"iptables", "-g SKEP-FORWARD", "-j SKEP-FORWARD"},
		{"iptables", "-g SKEP-FORWARD", "-g FORWARD"},
		{"iptables", "-m rpfilter --invert -j", "-m rpfilter -j"},
		{"iptables", "-m rpfilter --invert -j", "-m rpfilter --loose --invert -j"},
		{"iptables", "-m rpfilter --invert -j SKEP-STRAY", "-m rpfilter --invert -j SKEP-NODES"},
		{"iptables", "--dport 68 -m rpfilter", "--dport 68 -m rpfilter --loose"},
		{"iptables", "--icmp-type 3", "--icmp-type 5"},
		{"iptables", "-j DROP", "-j REJECT"},
		{"iptables", "-A SKEP -i lo", "-A PREROUTING -i lo"},
		{"iptables", "COMMIT", "COMMIT\n*nat"},
		{"iptables", "COMMIT", "COMMIT\n-A SKEP-NODES -d 10.0.0.99/32 -g SKEP-REFUSE"},
	} {
		_, rulesets := rulesetsOf(t, "target", test.backend)
		path := map[string]string{"nft": "firewall/worker.nft", "iptables": "firewall/worker.v4.rules"}[test.backend]
		text := rulesets[path]
		before, _, ok := strings.Cut(text, test.old)
		if !ok {
			t.Errorf("%s has no %q", path, test.old)
			continue
		}
		_, err := firewall.Read(ruleset(path, strings.Replace(text, test.old, test.changed, 1)))
		line := 1 + strings.Count(before, "\n") + strings.Count(test.changed[:max(0, strings.LastIndex(test.changed, "\n"))], "\n")
		if strings.HasPrefix(test.changed, "COMMIT\n") {
			line++
		}
		if err == nil {
			t.Errorf("%q instead of %q is accepted", test.changed, test.old)
		} else if !strings.HasPrefix(err.Error(), fmt.Sprintf("%s:%d: ", path, line)) {
			t.Errorf("%q instead of %q: %v, want line %d", test.changed, test.old, err, line)
		}
	}
}

func TestReadRefusesAPart(t *testing.T) {
	for _, backend := range backends() {
		_, rulesets := rulesetsOf(t, "everything", backend)
		for path, text := range rulesets {
			lines := strings.SplitAfter(text, "\n")
			for _, n := range []int{0, 1, 5, len(lines) / 2, len(lines) - 2} {
				if _, err := firewall.Read(ruleset(path, strings.Join(lines[:n], ""))); err == nil {
					t.Errorf("%s: the first %d lines are accepted", path, n)
				}
			}
		}
	}
}

// FuzzRead: no text makes the reader or the simulator panic or run in circles.
func FuzzRead(f *testing.F) {
	for _, backend := range backends() {
		_, rulesets := rulesetsOf(f, "target", backend)
		for path, text := range rulesets {
			f.Add(path, text)
		}
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		s, err := firewall.Read(ruleset(path, text))
		if err != nil {
			return
		}
		for _, p := range []proof.Packet{
			{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("10.0.0.11"), Proto: "tcp", Port: 22},
			{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2"), Proto: "icmp", ICMP: 128},
			{Device: "docker0", Src: netip.MustParseAddr("172.20.0.2"), Dst: netip.MustParseAddr("10.0.0.12"), Elsewhere: true, Proto: "esp"},
		} {
			s.Decide(p)
		}
		proof.Openings([]*proof.Ruleset{s})
	})
}
