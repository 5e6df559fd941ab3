package firewall

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// zone is who may connect, as addresses. The containers of a node are no zone: they are told by their interface.
type zone struct {
	name  string
	field string // the field of the spec it comes from
	in4   []netip.Prefix
	in6   []netip.Prefix
	// The only interface on which its packets arrive; empty for any.
	device string
}

func newZone(name, field string, prefixes []netip.Prefix) zone {
	return zone{name: name, field: field, in4: netset.OfFamily(netset.V4, prefixes), in6: netset.OfFamily(netset.V6, prefixes)}
}

// in returns the zone's prefixes of a family, merged.
func (z zone) in(f netset.Family) []netip.Prefix {
	if f == netset.V4 {
		return z.in4
	}
	return z.in6
}

// world reports whether every address of the family is in the zone.
func (z zone) world(f netset.Family) bool {
	in := z.in(f)
	return len(in) == 1 && in[0].Bits() == 0
}

// source is the zones that one exposure is open to; equal sources share a chain.
type source []zone

// name joins the zones' names: "management_nuvla".
func (s source) name() string {
	names := make([]string, len(s))
	for i, z := range s {
		names[i] = z.name
	}
	return strings.Join(names, "_")
}

func (s source) world(f netset.Family) bool {
	return slices.ContainsFunc(s, func(z zone) bool { return z.world(f) })
}

func (s source) empty(f netset.Family) bool {
	return !slices.ContainsFunc(s, func(z zone) bool { return len(z.in(f)) > 0 })
}

// entry is one exposure as the nodes of a class let it in.
type entry struct {
	schema.Exposure
	ports []schema.PortRange // empty without ports
	from  source             // empty: nobody
}

// guard is what containers may not reach on other nodes. Its ports are empty for protocols without.
type guard struct {
	proto string
	ports []schema.PortRange
}

// clients are what the VPN's server lets through from its clients: to the routes, as members of their zone.
type clients struct {
	device string
	routes []netip.Prefix
	zone   string
}

// policy is what the nodes of one class let in, before it is written for a backend.
type policy struct {
	cluster *schema.Cluster
	class   Class
	nodes   zone    // the addresses the nodes share
	public  zone    // the addresses they have outside, where the spec names any
	outside []entry // from other machines
	inside  []entry // from the node's own containers, by address; a world source means all of them
	guards  []guard
	clients *clients // nil but where the VPN's server runs
	forward []passage
	own     []zone     // networks that nothing is passed on to by a row of forward
	through []crossing // of clients and forward, sorted by zone
	crowds  []crowd
	sources []source // every source that needs a chain, sorted by name
}

// shared is what all classes of a cluster have in common; it is computed once.
type shared struct {
	zones  []zone // in the order in which they are named
	nodes  zone
	public zone
	guards []guard
	server clients // what the VPN's server lets its clients reach
	own    []zone
	ports  map[string][]schema.PortRange // by the name of the exposure
}

func newShared(c *schema.Cluster) shared {
	var addresses, public []netip.Prefix
	for _, n := range c.Nodes {
		addresses = append(addresses, netset.Host(n.Address))
		for _, a := range n.Addresses() {
			if a != n.Address || a == n.Public {
				public = append(public, netset.Host(a))
			}
		}
	}
	s := shared{
		nodes:  newZone("cluster", "nodes.*.address", addresses),
		public: newZone("public", "nodes.*.public", public),
		guards: guards(c, schema.Containers, "users"),
		ports:  map[string][]schema.PortRange{},
	}
	if m := c.Mesh(); m != nil {
		s.nodes.device = m.Device
	}
	for _, name := range schema.AccessZones() {
		s.zones = append(s.zones, newZone(name, "access."+name, c.Zone(name)))
	}
	if a := c.VPNAccess(); a != nil {
		s.server = clients{device: a.Device, routes: netset.Merge(a.Routes), zone: a.Zone}
	}
	s.own = ownNetworks(c)
	s.zones = append(s.zones, s.nodes)
	for _, e := range c.Exposures {
		s.ports[e.Name] = portsOf(c, e)
	}
	return s
}

// guards returns the ports that are closed on every node to all of those zones. A packet of a container, or of a client
// of the VPN, to another node leaves with the address of its own node, so the other node would take it for a member of
// the cluster.
func guards(c *schema.Cluster, zones ...string) []guard {
	closed, open := map[string][]schema.PortRange{}, map[string][]schema.PortRange{}
	for _, e := range c.Exposures {
		r := schema.PortRange{First: e.Port, Last: e.Last}
		if slices.ContainsFunc(e.From, func(zone string) bool { return slices.Contains(zones, zone) }) {
			open[e.Proto] = append(open[e.Proto], r)
		} else {
			closed[e.Proto] = append(closed[e.Proto], r)
		}
	}
	var out []guard
	for _, proto := range protocols(c) {
		if len(closed[proto]) == 0 {
			continue
		}
		g := guard{proto: proto}
		if schema.HasPorts(proto) {
			g.ports = guardedPorts(closed[proto], open[proto])
		}
		if !schema.HasPorts(proto) || len(g.ports) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// protocols returns those of the cluster's exposures: tcp, udp, and the others sorted.
func protocols(c *schema.Cluster) []string {
	out := []string{"tcp", "udp"}
	for _, e := range c.Exposures {
		if !slices.Contains(out, e.Proto) {
			out = append(out, e.Proto)
		}
	}
	slices.Sort(out[2:])
	return out
}

// guardedPorts keeps a port that one node opens to users usable where another node protects it (the other node still
// does). A range for applications opens nothing here: it never holds a protected port.
func guardedPorts(closed, open []schema.PortRange) []schema.PortRange {
	single := slices.DeleteFunc(slices.Clone(open), func(r schema.PortRange) bool { return r.First != r.Last })
	return netset.Subtract(closed, single)
}

func newPolicy(c *schema.Cluster, class Class, s shared) policy {
	p := policy{cluster: c, class: class, nodes: s.nodes, public: s.public, guards: s.guards, forward: passages(c, class, s), own: s.own, crowds: crowds(class, s)}
	if slices.ContainsFunc(class.Exposures, func(e schema.Exposure) bool { return e.Name == "vpn-access" }) {
		p.clients = &s.server
	}
	p.through = p.crossings()
	for _, e := range class.Exposures {
		o := entry{Exposure: e, ports: s.ports[e.Name], from: s.pick(e.From)}
		p.outside = append(p.outside, o)
		switch {
		case slices.Contains(e.From, schema.Containers):
			o.from = source{anyone()}
			p.inside = append(p.inside, o)
		case slices.Contains(e.From, "users"):
			o.from = s.pick([]string{"users"})
			p.inside = append(p.inside, o)
		}
	}
	p.outside, p.inside = joined(p.outside), joined(p.inside)
	p.sources = sources(append(slices.Clone(p.outside), p.inside...))
	return p
}

// joined makes one entry of the spec's own single ports that differ in name and port only: a thousand single ports are a few
// ranges of one rule. It stands where the first of them does.
func joined(entries []entry) []entry {
	var out []entry
	first := map[string]int{}
	rows := map[int]int{}
	for _, o := range entries {
		key := strings.Join([]string{o.Proto, o.Why, strings.Join(o.Exposure.From, " ")}, "\x00")
		i, ok := first[key]
		if !o.Added() || !ok || o.Port != o.Last {
			if o.Added() && o.Port == o.Last {
				first[key] = len(out)
			}
			out = append(out, o)
			continue
		}
		rows[i]++
		out[i].ports = append(slices.Clone(out[i].ports), o.ports...)
	}
	for i, more := range rows {
		out[i].ports = netset.Union(out[i].ports)
		out[i].Field += fmt.Sprintf(" and %d more of exposures", more)
	}
	return out
}

// anyone is the zone of every address.
func anyone() zone {
	return newZone("anyone", "", []netip.Prefix{
		netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0),
	})
}

// pick returns the named zones that have addresses.
func (s shared) pick(names []string) source {
	if slices.Contains(names, "anyone") {
		return source{anyone()}
	}
	var out source
	for _, z := range append(slices.Clone(s.zones), s.public) {
		if slices.Contains(names, z.name) && len(z.in4)+len(z.in6) > 0 {
			out = append(out, z)
		}
	}
	return out
}

// sources returns each source once, sorted by name. One that is the whole world needs no chain.
func sources(entries []entry) []source {
	byName := map[string]source{}
	for _, o := range entries {
		if len(o.from) > 0 && o.usable() && !(o.from.world(netset.V4) && o.from.world(netset.V6)) {
			byName[o.from.name()] = o.from
		}
	}
	out := make([]source, 0, len(byName))
	for _, s := range byName {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b source) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// usable reports whether anything is left of the exposure to open.
func (o entry) usable() bool { return !schema.HasPorts(o.Proto) || len(o.ports) > 0 }

// wire is a protocol as both backends take it on any machine: names of protocols stand in a file that may be missing.
func wire(proto string) string {
	if n, ok := schema.ProtocolNumber(proto); ok && proto != "esp" {
		return fmt.Sprint(n)
	}
	return proto
}

// remark returns text that may stand between double quotes in a rule's comment, which holds at most 128 bytes in nft.
func remark(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\':
			return '/'
		case r < ' ' || r > '~':
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), 120)]
}
