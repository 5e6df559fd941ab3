package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/generators/plan"
	"skep.dev/generators/runbook"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// state is a cluster, what a plan reads of its bundle, and the simulator of its rules.
type state struct {
	*schema.Cluster
	bundle *plan.Bundle
	sim    *proof.Simulator
}

func newState(t *testing.T, c schema.Cluster) state {
	t.Helper()
	files, err := firewall.Files(&c)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := firewall.Simulate(&c, files)
	if err != nil {
		t.Fatal(err)
	}
	var inventory strings.Builder
	for _, class := range firewall.Classes(&c) {
		for _, name := range class.Nodes {
			n := c.Node(name)
			fmt.Fprintf(&inventory, "%s\t%s\t\t%s\t\t\t%s\t\t\n", n.Name, n.Address, n.Role, class.Name)
		}
	}
	b, err := plan.Read("bundle", append(files, artifact.File{Path: runbook.Inventory, Data: []byte(inventory.String())}))
	if err != nil {
		t.Fatal(err)
	}
	return state{&c, b, sim}
}

// networks overlap each other, the nodes, and the world.
var networks = []string{
	"0.0.0.0/0", "::/0", "10.0.0.0/24", "10.0.0.11/32", "192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25", "192.0.2.7/32",
	"198.51.100.0/24", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:7::/64", "2001:db8:2::/48",
}

func somePrefixes(r *rand.Rand, least int) []netip.Prefix {
	var out []netip.Prefix
	for n := least + r.IntN(4); len(out) < n; {
		p := netip.MustParsePrefix(networks[r.IntN(len(networks))])
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// shuffle gives a cluster other zones, and other rights to its rows.
func shuffle(r *rand.Rand, c schema.Cluster) schema.Cluster {
	c.Access = schema.Access{Management: somePrefixes(r, 1), Nuvla: somePrefixes(r, 0), Users: somePrefixes(r, 0)}
	c.Firewall.Backend = firewall.Backends()[r.IntN(len(firewall.Backends()))].Name
	c.Exposures = slices.Clone(c.Exposures)
	for i := range c.Exposures {
		if r.IntN(3) > 0 {
			continue
		}
		c.Exposures[i].From = slices.DeleteFunc(schema.Zones(), func(string) bool { return r.IntN(3) > 0 })
	}
	return c
}

// senders are an address of every network, and one of none.
func senders() []netip.Addr {
	out := []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8:3::9"), netip.MustParseAddr("2001:470::9"), netip.MustParseAddr("10.0.0.12")}
	for _, n := range networks {
		p := netip.MustParsePrefix(n)
		if a := p.Addr(); p.IsSingleIP() {
			out = append(out, a)
		} else if p.Bits() > 0 {
			out = append(out, a.Next().Next())
		}
	}
	return out
}

func (s state) allows(node string, device string, from netip.Addr, proto string, port uint16) bool {
	to := s.Node(node).Address
	return s.sim.Decide(node, proof.Packet{Device: device, Src: from, Dst: to, Proto: proto, SrcPort: 50000, Port: port}).Allow
}

// in reports whether an address is in a zone.
func (s state) in(zone string, a netip.Addr) bool {
	return zone == proof.Everyone || slices.Contains(s.sim.Zones(a), zone)
}

// about reports whether a line tells about packets of this kind.
func about(c plan.PortChange, node string, a netip.Addr, proto string, port uint16) bool {
	family := map[bool]string{true: "IPv4", false: "IPv6"}[a.Is4()]
	return slices.Contains(c.Nodes, node) && c.Proto == proto && (c.Over == "" || c.Over == family) &&
		slices.ContainsFunc(c.Ports, func(r schema.PortRange) bool { return r.First <= port && port <= r.Last })
}

// TestPlanAgreesWithTheRules compares random pairs of zones and rights, packet by packet: what a line says of a zone holds
// for each of its addresses, and no packet changes its fate without a line that says so.
func TestPlanAgreesWithTheRules(t *testing.T) {
	c, _, err := spec.Load("../../examples/target")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for round := range 150 {
		before, after := newState(t, shuffle(r, *c)), newState(t, shuffle(r, *c))
		if round%3 == 0 { // the same rights: the zones alone change
			again := *after.Cluster
			again.Exposures, again.Firewall = before.Exposures, before.Firewall
			after = newState(t, again)
		}
		compare(t, before, after)
		if t.Failed() {
			return
		}
	}
}

func compare(t *testing.T, before, after state) {
	t.Helper()
	p, err := plan.Compare(before.bundle, after.bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range before.Nodes {
		for _, e := range before.Exposures {
			for _, a := range senders() {
				was, is := before.allows(n.Name, "", a, e.Proto, e.Last), after.allows(n.Name, "", a, e.Proto, e.Last)
				told := false
				for _, line := range p.Firewall.Ports {
					if line.Zone != "containers" && about(line, n.Name, a, e.Proto, e.Last) {
						told = told || holds(t, before, after, line, a, was, is)
					}
				}
				for _, z := range p.Firewall.Addresses {
					told = told || slices.ContainsFunc(slices.Concat(z.Added, z.Removed), func(p netip.Prefix) bool { return p.Contains(a) })
				}
				if was != is && !told {
					t.Errorf("%s: %d/%s on %s: let in before: %t, and after: %t; the plan does not tell", a, e.Last, e.Proto, n.Name, was, is)
				}
			}
		}
	}
	containers(t, before, after, p)
	for _, line := range p.Firewall.Ports {
		if line.Zone != "containers" && !concerns(before, after, line) {
			t.Errorf("nobody is meant: %s", line)
		}
	}
	for _, z := range p.Firewall.Addresses {
		for _, gone := range z.Removed {
			if slices.ContainsFunc(after.Access.Listed(z.Zone), gone.Overlaps) {
				t.Errorf("%s is still in zone %s", gone, z.Zone)
			}
		}
	}
	if t.Failed() {
		t.Logf("before: %v\nafter: %v\n%s", before.Access, after.Access, strings.Join(p.Lines(), "\n"))
	}
}

// concerns reports whether a line is about anybody: an address of the zone that is in none of those it excepts.
func concerns(before, after state, line plan.PortChange) bool {
	has, lacks := before, after
	if line.Change == "opened" {
		has, lacks = after, before
	}
	return slices.ContainsFunc(senders(), func(a netip.Addr) bool {
		family := map[bool]string{true: "IPv4", false: "IPv6"}[a.Is4()]
		return (line.Over == "" || line.Over == family) && has.in(line.Zone, a) &&
			!slices.ContainsFunc(line.Except, func(zone string) bool { return lacks.in(zone, a) })
	})
}

// containers compares what the tasks of a node may reach there, from an address that is in no zone of its own.
func containers(t *testing.T, before, after state, p plan.Plan) {
	t.Helper()
	for _, n := range before.Nodes {
		for _, e := range before.Exposures {
			for _, a := range []netip.Addr{netip.MustParseAddr("172.20.0.2"), netip.MustParseAddr("fd00::2")} {
				was, is := before.allows(n.Name, "docker0", a, e.Proto, e.Last), after.allows(n.Name, "docker0", a, e.Proto, e.Last)
				told := ""
				for _, line := range p.Firewall.Ports {
					if line.Zone == "containers" && about(line, n.Name, a, e.Proto, e.Last) {
						told += line.Change
					}
				}
				if want := map[[2]bool]string{{false, true}: "opened", {true, false}: "closed"}[[2]bool{was, is}]; told != want {
					t.Errorf("containers at %s: %d/%s on %s: let in before: %t, and after: %t: told %q", a, e.Last, e.Proto, n.Name, was, is, told)
				}
			}
		}
	}
}

// holds checks a line against the fate of one packet, and reports whether it tells about it.
func holds(t *testing.T, before, after state, line plan.PortChange, a netip.Addr, was, is bool) bool {
	t.Helper()
	has, lacks, had, got := before, after, was, is // of closed
	if line.Change == "opened" {
		has, lacks, had, got = after, before, is, was
	}
	if slices.ContainsFunc(line.Except, func(zone string) bool { return lacks.in(zone, a) }) || !has.in(line.Zone, a) && !lacks.in(line.Zone, a) {
		return false
	}
	if had && got || has.in(line.Zone, a) && (!had || got) {
		t.Errorf("%s: let in before: %t, and after: %t: %s", a, was, is, line)
	}
	return has.in(line.Zone, a)
}
