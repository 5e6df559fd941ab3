package firewall

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Wall is the firewall of a whole cluster, read back from the files of its bundle.
type Wall struct {
	cluster *schema.Cluster
	classes []Class
	ofNode  map[string]int // index of the node's class
	sets    []rulesets     // by class
	shared  shared
}

// rulesets of one class; nft has one file for both families.
type rulesets struct{ four, six *Ruleset }

func (r rulesets) of(f family) *Ruleset {
	if f == v4 {
		return r.four
	}
	return r.six
}

// NewWall reads the rulesets among the files of the cluster's bundle.
func NewWall(c *schema.Cluster, files []artifact.File) (*Wall, error) {
	w := &Wall{cluster: c, classes: Classes(c), ofNode: map[string]int{}, shared: newShared(c)}
	for i, class := range w.classes {
		var read []*Ruleset
		for _, path := range class.Files(c) {
			at := slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == path })
			if at < 0 {
				return nil, fmt.Errorf("firewall: no file %s", path)
			}
			s, err := Read(path, files[at].Data)
			if err != nil {
				return nil, fmt.Errorf("firewall: %w", err)
			}
			read = append(read, s)
		}
		w.sets = append(w.sets, rulesets{read[0], read[len(read)-1]})
		for _, n := range class.Nodes {
			w.ofNode[n] = i
		}
	}
	return w, nil
}

// Decide says what becomes of a packet at the node.
func (w *Wall) Decide(node string, p Packet) Verdict {
	return w.sets[w.ofNode[node]].of(familyOf(p.Src)).Decide(p)
}

// Contained reports whether the packet comes from a container of the node.
func (w *Wall) Contained(p Packet) bool {
	return slices.ContainsFunc(w.cluster.Firewall.Interfaces(), func(name string) bool { return deviceMatch{name}.holds(&p) })
}

// Class returns the class of a node.
func (w *Wall) Class(node string) Class { return w.classes[w.ofNode[node]] }

// Exposure returns the row that a verdict about a packet at the node comes from, if its rule is one's.
func (w *Wall) Exposure(node string, p Packet, v Verdict) (schema.Exposure, bool) {
	for _, e := range w.Class(node).Exposures {
		if e.Proto == p.Proto && (!schema.HasPorts(e.Proto) || contains(w.shared.ports[e.Name], p.Port)) && strings.HasPrefix(v.Rule.Field, e.Field) {
			return e, true
		}
	}
	for _, e := range w.Class(node).Exposures { // several rows are one rule
		if e.Proto == p.Proto && contains(w.shared.ports[e.Name], p.Port) && e.Added() && strings.HasPrefix(v.Rule.Field, "exposures.") {
			return e, true
		}
	}
	return schema.Exposure{}, false
}

// Ports returns the ports that the row opens, see the function of that name.
func (w *Wall) Ports(e schema.Exposure) []schema.PortRange { return w.shared.ports[e.Name] }

// Zones returns the names of the zones that hold the address.
func (w *Wall) Zones(a netip.Addr) []string {
	var out []string
	for _, z := range w.shared.zones {
		if holds(z.in(familyOf(a)), a) {
			out = append(out, z.name)
		}
	}
	return out
}

// holds searches sorted, disjoint prefixes.
func holds(prefixes []netip.Prefix, a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(prefixes, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return found || i > 0 && prefixes[i-1].Contains(a)
}

// target returns the address of the node in a family; one that is nowhere where the spec knows none, and false.
func target(n schema.Node, f family) (netip.Addr, bool) {
	for _, a := range n.Addresses() {
		if familyOf(a) == f {
			return a, true
		}
	}
	if f == v4 {
		return netip.IPv4Unspecified(), false
	}
	return netip.IPv6Unspecified(), false
}

// Origin is an address that a packet may come from, and how it arrives.
type Origin struct {
	Address netip.Addr
	Device  string
}

// Origins returns addresses that stand for all of a zone, a node or an address: at least one for every way in which a
// rule could tell them apart. Those of a zone are in no other zone, unless it has none such.
func (w *Wall) Origins(from string) []Origin {
	if a, err := netip.ParseAddr(from); err == nil {
		return []Origin{w.origin(a)}
	}
	if from == "containers" {
		return []Origin{
			{container(w.cluster), w.bridge()},
			{netip.MustParseAddr("fd00::2"), w.bridge()},
		}
	}
	if n := w.cluster.Node(from); n.Name != "" {
		var out []Origin
		for _, a := range n.Addresses() {
			out = append(out, w.origin(a))
		}
		return out
	}
	return w.zoneOrigins(from)
}

// origin is an address with the interface that it arrives on: addresses of the mesh come out of it.
func (w *Wall) origin(a netip.Addr) Origin {
	if m := w.cluster.Mesh(); m != nil && m.Subnet.Contains(a) {
		return Origin{a, m.Device}
	}
	return Origin{Address: a}
}

// container is an address of a task on a bridge of the engine.
func container(c *schema.Cluster) netip.Addr { return c.Engine.Bridges.Subnet.Addr().Next().Next() }

// bridge is an interface on which packets of containers arrive.
func (w *Wall) bridge() string {
	return strings.ReplaceAll(w.cluster.Firewall.Docker[0], "*", "0")
}

// enough addresses of one kind: where one is the node that is asked, the other can ask.
const enough = 2

func (w *Wall) zoneOrigins(name string) []Origin {
	zones := w.shared.zones
	own := slices.IndexFunc(zones, func(z zone) bool { return z.name == name })
	if own < 0 {
		return nil
	}
	var alone, shared []Origin
	seen := map[string]int{}
	for _, f := range []family{v4, v6} {
		sets := w.addressSets(f)
		for _, a := range borders(zones, sets, f) {
			if !holds(zones[own].in(f), a) {
				continue
			}
			others := 0
			for i, z := range zones {
				if i != own && holds(z.in(f), a) {
					others++
				}
			}
			key := signature(sets, a) + fmt.Sprint(f, others > 0)
			if seen[key]++; seen[key] > enough {
				continue
			}
			if others == 0 {
				alone = append(alone, w.origin(a))
			} else {
				shared = append(shared, w.origin(a))
			}
		}
	}
	if len(alone) > 0 {
		return alone
	}
	return shared
}

// borders returns the first usable address of every stretch that no zone and no set of a ruleset divides.
func borders(zones []zone, sets []*addressSet, f family) []netip.Addr {
	var starts []netip.Addr
	add := func(prefixes []netip.Prefix) {
		for _, p := range prefixes {
			starts = append(starts, p.Addr())
			if next := last(p).Next(); next.IsValid() {
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
func (w *Wall) addressSets(f family) []*addressSet {
	var out []*addressSet
	for _, sets := range w.sets {
		for _, a := range sets.of(f).sourceSets(f) {
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
