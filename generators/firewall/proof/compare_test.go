package proof

import (
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// Fault is a packet of which the rules make something else than the spec wants.
type Fault struct {
	Answer
	Want bool // to be allowed
}

// String is such as "want deny, but 198.51.100.1 -> m1:22/tcp is allowed by firewall/manager.nft:40: ...".
func (f Fault) String() string {
	return fmt.Sprintf("want %s, but %s", map[bool]string{true: "allow", false: "deny"}[f.Want], f.Answer)
}

// Faults sends packets of every kind that the rules or the spec could tell apart, to a node of every kind, and returns
// those whose fate is not what the spec wants. An address that a set lacks is found, and a port too many.
func (s *Simulator) Faults() iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		w := s.newWants()
		for _, class := range s.classes {
			for _, kind := range s.kinds(class) {
				for _, f := range netset.Families() {
					if !w.at(kind).faults(class.of(f), f, yield) {
						return
					}
				}
			}
		}
	}
}

// faults yields those of one ruleset; it reports false when no more are wanted.
func (w wants) faults(rules *Ruleset, f netset.Family, yield func(Fault) bool) bool {
	for p := range w.packets(rules, f) {
		v := rules.Decide(p)
		if v.Allow != w.allows(p) && !yield(Fault{Answer{Node: w.node, Packet: p, Verdict: v, Known: true}, !v.Allow}) {
			return false
		}
	}
	return true
}

// kind is nodes of a class of which the spec wants the same: one of them, and its rows.
type kind struct {
	node schema.Node
	rows []schema.Exposure
}

// kinds returns those of a class; one, unless its nodes should not share their rules.
func (s *Simulator) kinds(class Class) []kind {
	named := map[string][]int{} // by what a row is on
	for i, e := range s.cluster.Exposures {
		for _, on := range e.On {
			named[on] = append(named[on], i)
		}
	}
	var out []kind
	seen := map[string]bool{}
	for _, name := range class.Nodes {
		n := s.cluster.Node(name)
		key := fmt.Sprint(n.Role, named[name])
		for _, f := range s.cluster.Firewall.Forward {
			key += fmt.Sprint(f.Includes(n))
		}
		if a := s.cluster.VPNAccess(); a != nil {
			key += fmt.Sprint(a.Node == name)
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		rows := slices.Concat(named["all"], named[n.Role+"s"], named[name])
		slices.Sort(rows)
		k := kind{node: n}
		for _, i := range slices.Compact(rows) {
			k.rows = append(k.rows, s.cluster.Exposures[i])
		}
		out = append(out, k)
	}
	return out
}

// packets returns one of every kind: of senders, receivers, ways to arrive, and what they ask for.
func (w wants) packets(rules *Ruleset, f netset.Family) iter.Seq[Packet] {
	to, _ := target(w.node, f)
	senders, receivers, asked := w.addresses(rules, f, source), w.addresses(rules, f, destination), w.asked(rules)
	return func(yield func(Packet) bool) {
		send := func(p Packet, asked []Packet) bool {
			for _, stray := range []bool{false, true} {
				for _, ask := range asked {
					p.Stray, p.Proto, p.Port, p.SrcPort, p.ICMP = stray, ask.Proto, ask.Port, ask.SrcPort, ask.ICMP
					if !yield(p) {
						return false
					}
				}
			}
			return true
		}
		for _, device := range w.devices() {
			if !send(Packet{Device: device, Src: senders[0], Dst: to}, messages()) {
				return
			}
			for _, from := range senders {
				if !send(Packet{Device: device, Src: from, Dst: to}, asked) {
					return
				}
				for _, beyond := range receivers {
					if !send(Packet{Device: device, Src: from, Dst: beyond, Elsewhere: true}, asked) {
						return
					}
				}
			}
		}
	}
}

// devices returns the interfaces that the spec names, and one that it does not.
func (w wants) devices() []string {
	c := w.Simulator.cluster
	out := []string{"", "lo"}
	for _, name := range c.Firewall.Interfaces() {
		out = append(out, strings.ReplaceAll(name, "*", "0"))
	}
	if m := c.Mesh(); m != nil {
		out = append(out, m.Device)
	}
	if a := c.VPNAccess(); a != nil {
		out = append(out, a.Device)
	}
	for _, f := range c.Firewall.Forward {
		out = append(out, f.Device)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// addresses returns those that stand for all senders, or for all receivers: one for each combination of sets of the rules
// and of the spec.
func (w wants) addresses(rules *Ruleset, f netset.Family, end ends) []netip.Addr {
	sets := w.sets(f)
	for _, a := range rules.addressSets(f, end) {
		sets = append(sets, a.prefixes)
	}
	starts := []netip.Addr{f.Unspecified().Next()}
	for _, set := range sets {
		for _, p := range set {
			starts = append(starts, p.Addr())
			if next := netset.Last(p).Next(); next.IsValid() {
				starts = append(starts, next)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	return oneOfEach(sets, slices.Compact(starts), netset.Holds)
}

// sets returns the networks of a family by which the spec tells machines apart.
func (w wants) sets(f netset.Family) [][]netip.Prefix {
	c := w.Simulator.cluster
	sets := [][]netip.Prefix{w.cluster.in(f), w.outside.in(f), w.own.in(f)}
	for _, name := range slices.Sorted(maps.Keys(w.outer)) {
		sets = append(sets, w.outer[name].in(f))
	}
	single := []netip.Prefix{netip.MustParsePrefix("fe80::/10")}
	for _, row := range c.Firewall.Forward {
		single = append(single, row.To, row.Network())
	}
	if m := c.Mesh(); m != nil {
		single = append(single, m.Subnet)
	}
	if a := c.VPNAccess(); a != nil {
		single = append(single, a.Routes...)
	}
	for _, p := range single {
		if p.IsValid() && netset.FamilyOf(p.Addr()) == f {
			sets = append(sets, []netip.Prefix{p.Masked()})
		}
	}
	return sets
}

// asked returns what packets ask for: a port of every kind, answers of address servers, and protocols without ports.
func (w wants) asked(rules *Ruleset) []Packet {
	out := []Packet{{Proto: "icmp", ICMP: echo4}, {Proto: "icmp", ICMP: echo6}, {Proto: "esp"}, {Proto: "gre"}}
	for _, proto := range protocols(w.Simulator.cluster) {
		if !schema.HasPorts(proto) {
			out = append(out, Packet{Proto: proto})
			continue
		}
		for _, port := range w.kindsOfPorts(rules, proto) {
			out = append(out, Packet{Proto: proto, Port: port, SrcPort: ephemeral})
		}
	}
	a := w.Simulator.cluster.Firewall.Answers
	return append(out, Packet{Proto: "udp", SrcPort: a.DHCP.From, Port: a.DHCP.To}, Packet{Proto: "udp", SrcPort: a.DHCP6.From, Port: a.DHCP6.To})
}

// ephemeral is a port that clients ask from.
const ephemeral = 50000

// messages returns all of ICMP.
func messages() []Packet {
	out := make([]Packet, 256)
	for i := range out {
		out[i] = Packet{Proto: "icmp", ICMP: i}
	}
	return out
}

// kindsOfPorts returns one port for each combination of rows of the spec and of matches of the rules that name it.
func (w wants) kindsOfPorts(rules *Ruleset, proto string) []uint16 {
	var sets [][]schema.PortRange
	for _, e := range w.Simulator.cluster.Exposures {
		if e.Proto == proto {
			sets = append(sets, w.Ports(e), []schema.PortRange{e.Range()})
		}
	}
	for _, m := range rules.portMatches(proto) {
		sets = append(sets, m.ranges)
	}
	return oneOfEach(sets, portStarts(sets), netset.Contains)
}

// oneOfEach returns one of the candidates for each combination of sets that hold it.
func oneOfEach[S, T any](sets []S, candidates []T, holds func(S, T) bool) []T {
	var out []T
	seen := map[string]bool{}
	for _, x := range candidates {
		key := make([]byte, len(sets))
		for i, set := range sets {
			if holds(set, x) {
				key[i] = 1
			}
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, x)
		}
	}
	return out
}
