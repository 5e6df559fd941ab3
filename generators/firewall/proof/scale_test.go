package proof_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// wide returns examples/target with 10,000 nodes and 1,000 networks in each zone, of which no two merge.
func wide(t testing.TB, backend string) *schema.Cluster {
	t.Helper()
	c, _, err := spec.Load("../../../examples/target")
	if err != nil {
		t.Fatal(err)
	}
	c.Firewall.Backend = backend
	for a := netip.MustParseAddr("10.128.0.1"); len(c.Nodes) < 10_000; a = a.Next().Next() {
		n := c.Nodes[len(c.Nodes)-1]
		n.Name, n.Role, n.Address = fmt.Sprintf("x%05d", len(c.Nodes)), "worker", a
		c.Nodes = append(c.Nodes, n)
	}
	zone := func(first byte) (out []netip.Prefix) {
		for i := range 1000 {
			out = append(out, netip.PrefixFrom(netip.AddrFrom4([4]byte{first, byte(i / 250), byte(i % 250), 0}), 25))
		}
		return out
	}
	c.Access.Management, c.Access.Nuvla, c.Access.Users = zone(20), zone(21), zone(22)
	return c
}

func filesOf(t testing.TB, c *schema.Cluster) []artifact.File {
	t.Helper()
	files, err := firewall.Files(c)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestWide asks the rules of a large cluster, and finds each of its networks and nodes.
func TestWide(t *testing.T) {
	for _, backend := range backends() {
		c := wide(t, backend)
		sim, err := firewall.Simulate(c, filesOf(t, c))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			from, to string
			port     uint16
			want     bool
		}{
			{"users", "m1", 443, true}, {"users", "all", 2376, false}, {"nuvla", "m1", 2376, true}, {"management", "all", 22, true},
			{"cluster", "m1", 2377, true}, {"22.3.249.127", "x09999", 30000, true}, {"22.3.249.128", "x09999", 30000, false}, {"x09999", "m1", 2049, true},
		} {
			answers := sim.Ask(test.from, test.to, "tcp", test.port)
			if len(answers) == 0 {
				t.Errorf("%s: nobody asks %s", test.from, test.to)
			}
			for _, a := range answers {
				if a.Known && a.Verdict.Allow != test.want {
					t.Errorf("%s: %s, want %v", backend, a, test.want)
				}
			}
		}
	}
}

// TestSinglePortsJoin: thousands of single ports are a few ranges of one rule, and the rules stay the row's.
func TestSinglePortsJoin(t *testing.T) {
	c, _, err := spec.Load("../../../examples/target")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		name := fmt.Sprintf("p%d", i)
		c.Exposures = append(c.Exposures, schema.Exposure{
			Name: name, Proto: "udp", Port: uint16(10000 + (i*7)%3000), Last: uint16(10000 + (i*7)%3000),
			On: []string{"all"}, From: []string{"users"}, Mode: "node", Why: "one of many", Field: "exposures." + name,
		})
	}
	for _, f := range filesOf(t, c) {
		if strings.HasSuffix(f.Path, ".nft") && strings.Count(string(f.Data), "udp dport 10000-12999 accept") != 2 {
			t.Errorf("%s: want one rule for packets from outside, and one for those of containers:\n%s", f.Path, f.Data)
		}
	}
	sim, err := firewall.Simulate(c, filesOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range sim.Ask("users", "w1", "udp", 12345) {
		if e, ok := sim.Exposure("w1", a.Packet, a.Verdict); !a.Verdict.Allow || !ok || e.Port != 12345 {
			t.Errorf("%s, of row %v", a, e)
		}
	}
}

// BenchmarkReach is one query beyond Load: rules, reading them back, and the packets of a zone.
func BenchmarkReach(b *testing.B) {
	for _, backend := range backends() {
		b.Run(backend, func(b *testing.B) {
			c := wide(b, backend)
			for b.Loop() {
				sim, err := firewall.Simulate(c, filesOf(b, c))
				if err != nil {
					b.Fatal(err)
				}
				if len(sim.Ask("users", "m1", "tcp", 443)) == 0 {
					b.Fatal("nobody asks")
				}
			}
		})
	}
}
