package firewall

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// TestMatrix sends packets from every zone to every port of the tables, over both families, through the rules of every
// class of every spec, and compares who answers with what the exposures say.
//
// In "published" every port leads to a container, in "node" to a process of the node (a daemon, or docker-proxy), and
// in "mixed" as with an engine that translates IPv4 only.
func TestMatrix(t *testing.T) {
	kernel(t)
	id := 0
	for name, c := range specs(t) {
		for _, backend := range backends() {
			if backend != c.Firewall.Backend && !slices.Contains([]string{"target", "six", "nobody"}, name) {
				continue // the other backend is judged by three specs
			}
			for i, class := range firewall.Classes(c) {
				paths := []string{"published"}
				if name == "target" && backend == "nft" {
					paths = []string{"published", "node", "mixed"}
				}
				for _, path := range paths {
					id++
					run := matrix{id: fmt.Sprintf("x%d", id), spec: name, backend: backend, path: path, cluster: c, class: i}
					t.Run(strings.Join([]string{name, class.Name, backend, path}, "/"), func(t *testing.T) {
						t.Parallel()
						run.test(t)
					})
				}
			}
		}
	}
}

type matrix struct {
	id, spec, backend, path string
	cluster                 *schema.Cluster
	class                   int
}

func (m matrix) test(t *testing.T) {
	class := firewall.Classes(m.cluster)[m.class]
	w := newWorld(t, m.id, m.cluster, class.Nodes[0])
	ports := interesting(m.cluster)
	w.publish(t, ports, map[string][]string{"published": {"ip", "ip6"}, "mixed": {"ip"}}[m.path]...)
	listen(t, w.ns("node"), plan{"node", texts(w.at["node"]), ports})
	noESP := map[string][]int{"tcp": ports["tcp"], "udp": ports["udp"]}
	listen(t, w.ns("task"), plan{"task", texts(w.at["task"]), noESP})
	listen(t, w.ns("peer"), plan{"peer", texts(w.at["peer"]), noESP})
	listen(t, w.ns("users"), plan{"world", texts(w.at["users"]), noESP})

	m.load(t, w)
	w.judge(t, ports, m.path, w.expected(m.spec))
	before := w.ruleset(t)
	m.load(t, w)
	if after := w.ruleset(t); after != before {
		t.Errorf("a second load changed the rules:\n%s\nwas:\n%s", after, before)
	}
	w.run(t, `bash "$1/skep-firewall.sh" remove`, w.dir)
	if left := w.ruleset(t); strings.Contains(strings.ToLower(left), "skep") {
		t.Errorf("remove leaves rules behind:\n%s", left)
	}
	if m.path == "published" { // it was the rules that closed what was closed
		w.judge(t, ports, m.path, everythingOpen)
	}
}

// load installs the class's rules on the node and has the emitted command load them, as at boot.
func (m matrix) load(t *testing.T, w *world) {
	t.Helper()
	copied := *m.cluster
	copied.Firewall.Backend = m.backend
	class := firewall.Classes(&copied)[m.class]
	for _, f := range files(t, &copied, m.backend) {
		if f.Path == firewall.Command {
			write(t, filepath.Join(w.dir, "skep-firewall.sh"), f.Data)
		}
		if i := slices.Index(class.Files(&copied), f.Path); i >= 0 {
			write(t, filepath.Join(w.dir, "etc", filepath.Base(firewall.BackendOf(&copied).Installed()[i])), f.Data)
		}
	}
	w.run(t, `bash "$1/skep-firewall.sh" load`, w.dir)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// ruleset is everything the kernel has but Docker's stand-in, without counters, and without what connections leave in dynamic sets
// for a while. Of a limit that iptables made, nft writes now its name, now what it would be in nft's language.
func (w *world) ruleset(t *testing.T) string {
	t.Helper()
	return sh(t, `ip netns exec $1 nft -s list ruleset 2>/dev/null |
		sed 's/packets [0-9]* bytes [0-9]*//; s/add @connlimit[0-9]* {[^}]*}/xt match connlimit/; /flags .*dynamic/,/^\t}/{/elements = {/,/}/d}'`, w.ns("node"))
}

// verdict says whether a packet from the named namespace to the address and port is to arrive.
type verdict func(from string, p probe) bool

func everythingOpen(string, probe) bool { return true }

// judge dials all ports from all namespaces and compares.
func (w *world) judge(t *testing.T, ports map[string][]int, path string, open verdict) {
	t.Helper()
	var all sync.WaitGroup
	for _, from := range slices.Concat(outside, inside, []string{"node"}) {
		probes := w.probes(from, ports)
		all.Go(func() {
			wants := make([]string, len(probes))
			for i, p := range probes {
				if open(from, p) {
					wants[i] = w.answerer(from, path, p)
				}
			}
			for i, who := range answers(t, w.ns(from), probes, wants...) {
				if who != wants[i] {
					t.Errorf("%s (%s) -> %s: answered by %q, want %q", from, w.at[from], probes[i], who, wants[i])
				}
			}
		})
	}
	all.Wait()
}

// probes are what a namespace tries: machines outside the node's ports, and its containers directly; containers and
// the node also other machines.
func (w *world) probes(from string, ports map[string][]int) []probe {
	targets := []string{"node"}
	switch from {
	case "app":
		targets = []string{"node", "peer", "users"}
	case "other":
		targets = []string{"node", "peer"}
	case "node":
		targets = []string{"users"}
	}
	var out []probe
	if from == "foreign" {
		// Past the published port: this machine was told a way to the bridge.
		out = append(out, probe{"tcp", w.at["task"][0].String(), ports["tcp"][0]}, probe{"udp", w.at["task"][0].String(), ports["udp"][0]})
	}
	for _, target := range targets {
		for _, a := range w.at[target] {
			for _, proto := range []string{"tcp", "udp", "esp"} {
				if proto == "esp" && (target != "node" || from == "node") {
					continue // without ports, what the node sends makes an answer of what it gets
				}
				for _, port := range ports[proto] {
					out = append(out, probe{proto, a.String(), port})
				}
			}
		}
	}
	return out
}

// answerer is who answers a probe that arrives.
func (w *world) answerer(from, path string, p probe) string {
	a := netip.MustParseAddr(p.Address)
	switch a {
	case w.at["peer"][0], w.at["peer"][1]:
		return "peer"
	case w.at["users"][0], w.at["users"][1]:
		return "world"
	case w.at["task"][0]:
		return "task"
	}
	translated := path == "published" || path == "mixed" && a.Is4()
	if translated && p.Proto != "esp" && from != "app" && from != "node" {
		return "task"
	}
	return "node"
}

func texts(addresses [2]netip.Addr) []string {
	return []string{addresses[0].String(), addresses[1].String()}
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}
