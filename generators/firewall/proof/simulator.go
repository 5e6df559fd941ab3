// Package proof reads the rules of a bundle back, and says what they let in: packet by packet, as openings, against the
// tests of the spec, and in warnings. It stands apart from what writes the rules, and imports nothing of it.
package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// Simulator is the firewall of a whole cluster, read back from the files of its bundle.
type Simulator struct {
	cluster *schema.Cluster
	classes []Class
	ofNode  map[string]int // index of the node's class
	zones   []zone
	ports   map[string][]schema.PortRange // of ranges, by the name of the row; see Ports
}

// Class is nodes that load the same rules.
type Class struct {
	Nodes    []string
	Rulesets []*Ruleset // one for both families, or one for each
}

// of returns the ruleset of a family.
func (c Class) of(f netset.Family) *Ruleset {
	i := slices.IndexFunc(c.Rulesets, func(s *Ruleset) bool { return slices.Contains(s.families, f) })
	return c.Rulesets[i]
}

// NewSimulator tries the rules of the classes, which hold each node of the cluster once.
func NewSimulator(c *schema.Cluster, classes []Class) *Simulator {
	s := &Simulator{cluster: c, classes: classes, ofNode: map[string]int{}, zones: zones(c), ports: map[string][]schema.PortRange{}}
	for i, class := range classes {
		for _, n := range class.Nodes {
			s.ofNode[n] = i
		}
	}
	return s
}

// rules returns what the node loads.
func (s *Simulator) rules(node string, f netset.Family) *Ruleset {
	return s.classes[s.ofNode[node]].of(f)
}

// Decide says what becomes of a packet at the node.
func (s *Simulator) Decide(node string, p Packet) Verdict {
	return s.rules(node, netset.FamilyOf(p.Src)).Decide(p)
}

// Contained reports whether the packet comes from a container of the node.
func (s *Simulator) Contained(p Packet) bool {
	return slices.ContainsFunc(s.cluster.Firewall.Interfaces(), func(name string) bool { return deviceMatch{name}.holds(&p) })
}

// Exposure returns the row that a verdict about a packet at the node comes from, if its rule is one's.
func (s *Simulator) Exposure(node string, p Packet, v Verdict) (schema.Exposure, bool) {
	n := s.cluster.Node(node)
	asked := func(e schema.Exposure) bool {
		return e.Proto == p.Proto && (!schema.HasPorts(e.Proto) || netset.Contains(s.Ports(e), p.Port)) && e.Includes(n)
	}
	for _, e := range s.cluster.Exposures {
		if strings.HasPrefix(v.Rule.Field, e.Field) && asked(e) {
			return e, true
		}
	}
	for _, e := range s.cluster.Exposures { // several rows are one rule
		if e.Added() && strings.HasPrefix(v.Rule.Field, "exposures.") && schema.HasPorts(e.Proto) && asked(e) {
			return e, true
		}
	}
	return schema.Exposure{}, false
}

// Zones returns the names of the zones that hold the address.
func (s *Simulator) Zones(a netip.Addr) []string {
	var out []string
	for _, z := range s.zones {
		if z.holds(a) {
			out = append(out, z.name)
		}
	}
	return out
}

// target returns the address of the node in a family; one that is nowhere where the spec knows none, and false.
func target(n schema.Node, f netset.Family) (netip.Addr, bool) {
	for _, a := range n.Addresses() {
		if netset.FamilyOf(a) == f {
			return a, true
		}
	}
	return f.Unspecified(), false
}

// Origin is an address that a packet may come from, and how it arrives.
type Origin struct {
	Address netip.Addr
	Device  string
}

// Origins returns addresses that stand for all of a zone, a node or an address: at least one for every way in which a
// rule could tell them apart. Those of a zone are in no other zone, unless it has none such.
func (s *Simulator) Origins(from string) []Origin {
	if a, err := netip.ParseAddr(from); err == nil {
		return []Origin{s.origin(a)}
	}
	if from == schema.Containers {
		return []Origin{
			{container(s.cluster), s.bridge()},
			{netip.MustParseAddr("fd00::2"), s.bridge()},
		}
	}
	if n := s.cluster.Node(from); n.Name != "" {
		var out []Origin
		for _, a := range n.Addresses() {
			out = append(out, s.origin(a))
		}
		return out
	}
	return s.zoneOrigins(from)
}

// origin is an address with the interface that it arrives on: addresses of the mesh come out of it.
func (s *Simulator) origin(a netip.Addr) Origin {
	if m := s.cluster.Mesh(); m != nil && m.Subnet.Contains(a) {
		return Origin{a, m.Device}
	}
	return Origin{Address: a}
}

// container is an address of a task on a bridge of the engine.
func container(c *schema.Cluster) netip.Addr { return c.Engine.Bridges.Subnet.Addr().Next().Next() }

// bridge is an interface on which packets of containers arrive.
func (s *Simulator) bridge() string {
	return strings.ReplaceAll(s.cluster.Firewall.Docker[0], "*", "0")
}

// enough addresses of one kind: where one is the node that is asked, the other can ask.
const enough = 2

func (s *Simulator) zoneOrigins(name string) []Origin {
	own := slices.IndexFunc(s.zones, func(z zone) bool { return z.name == name })
	if own < 0 {
		return nil
	}
	var alone, shared []Origin
	seen := map[string]int{}
	for _, f := range netset.Families() {
		sets := s.addressSets(f)
		for _, a := range borders(s.zones, sets, f) {
			if !s.zones[own].holds(a) {
				continue
			}
			others := 0
			for i, z := range s.zones {
				if i != own && z.holds(a) {
					others++
				}
			}
			key := signature(sets, a) + fmt.Sprint(f, others > 0)
			if seen[key]++; seen[key] > enough {
				continue
			}
			if others == 0 {
				alone = append(alone, s.origin(a))
			} else {
				shared = append(shared, s.origin(a))
			}
		}
	}
	if len(alone) > 0 {
		return alone
	}
	return shared
}

// borders returns the first usable address of every stretch that no zone and no set of a ruleset divides.
func borders(zones []zone, sets []*addressSet, f netset.Family) []netip.Addr {
	var starts []netip.Addr
	add := func(prefixes []netip.Prefix) {
		for _, p := range prefixes {
			starts = append(starts, p.Addr())
			if next := netset.Last(p).Next(); next.IsValid() {
				starts = append(starts, next)
			}
		}
	}
	for _, z := range zones {
		add(z.in(f))
	}
	for _, s := range sets {
		if !slices.ContainsFunc(zones, func(z zone) bool { return slices.Equal(z.in(f), s.prefixes) }) {
			add(s.prefixes)
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	out := slices.Clone(starts)
	for i, a := range starts {
		if next := a.Next(); next.IsValid() && (i+1 == len(starts) || next.Less(starts[i+1])) {
			out[i] = next // the first address of a network belongs to no host
		}
	}
	return out
}

// addressSets returns the source sets of the family in all rulesets, each once, however many classes have it.
func (s *Simulator) addressSets(f netset.Family) []*addressSet {
	var out []*addressSet
	for _, class := range s.classes {
		for _, a := range class.of(f).addressSets(f, source) {
			if !slices.ContainsFunc(out, func(b *addressSet) bool { return slices.Equal(a.prefixes, b.prefixes) }) {
				out = append(out, a)
			}
		}
	}
	return out
}

// signature says which sets hold the address: the rules cannot tell addresses of one signature apart.
func signature(sets []*addressSet, a netip.Addr) string {
	out := make([]byte, len(sets))
	for i, s := range sets {
		if s.contains(a) {
			out[i] = 1
		}
	}
	return string(out)
}
