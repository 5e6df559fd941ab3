package proof

import (
	"net/netip"
	"slices"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// What a proof knows of the spec it reads from the spec itself, in its own way: if it asked the writer of the rules, both
// would be wrong together.

// zone is a zone of the spec that has addresses.
type zone struct {
	name     string
	field    string // the field of the spec it comes from
	prefixes map[netset.Family][]netip.Prefix
}

// in returns the zone's prefixes of a family, sorted and disjoint.
func (z zone) in(f netset.Family) []netip.Prefix { return z.prefixes[f] }

// world reports whether every address of the family is in the zone.
func (z zone) world(f netset.Family) bool {
	in := z.in(f)
	return len(in) == 1 && in[0].Bits() == 0
}

func (z zone) empty() bool { return len(z.in(netset.V4))+len(z.in(netset.V6)) == 0 }

// holds reports whether the address is in the zone.
func (z zone) holds(a netip.Addr) bool { return netset.Holds(z.in(netset.FamilyOf(a)), a) }

// zones returns the zones that have addresses, in the order in which they are named.
func zones(c *schema.Cluster) []zone {
	var out []zone
	for _, name := range schema.Zones() {
		switch name {
		case schema.Containers:
		case "cluster":
			out = append(out, newZone(name, "nodes.*.address", nodeAddresses(c)))
		default:
			out = append(out, newZone(name, "access."+name, c.Zone(name)))
		}
	}
	return out
}

func nodeAddresses(c *schema.Cluster) []netip.Prefix {
	out := make([]netip.Prefix, len(c.Nodes))
	for i, n := range c.Nodes {
		out[i] = netset.Host(n.Address)
	}
	return out
}

// newZone sorts the prefixes, and leaves out those that lie in others.
func newZone(name, field string, prefixes []netip.Prefix) zone {
	z := zone{name: name, field: field, prefixes: map[netset.Family][]netip.Prefix{}}
	sorted := slices.Clone(prefixes)
	slices.SortFunc(sorted, netip.Prefix.Compare)
	for _, p := range sorted {
		p = p.Masked()
		f := netset.FamilyOf(p.Addr())
		if n := len(z.prefixes[f]); n == 0 || !z.prefixes[f][n-1].Overlaps(p) {
			z.prefixes[f] = append(z.prefixes[f], p)
		}
	}
	return z
}

// Ports returns the ports that a row opens: a range leaves out what narrower rows of its protocol, on any node, and the
// cluster itself need. A protocol without ports has none.
func (s *Simulator) Ports(e schema.Exposure) []schema.PortRange {
	if !schema.HasPorts(e.Proto) {
		return nil
	}
	if e.Port == e.Last {
		return []schema.PortRange{e.Range()}
	}
	if _, known := s.ports[e.Name]; !known {
		s.ports[e.Name] = netset.Subtract([]schema.PortRange{e.Range()}, s.kept(e))
	}
	return s.ports[e.Name]
}

// kept returns what is closed in the range of a row.
func (s *Simulator) kept(e schema.Exposure) []schema.PortRange {
	var out []schema.PortRange
	for _, other := range s.cluster.Exposures {
		if other.Proto == e.Proto && other.Last-other.Port < e.Last-e.Port {
			out = append(out, other.Range())
		}
	}
	only := func(ports ...uint16) {
		for _, p := range ports {
			out = append(out, schema.PortRange{First: p, Last: p})
		}
	}
	if e.Proto == "tcp" {
		only(s.cluster.Engine.Ports.Plain)
	}
	if n := s.cluster.Services.NFS; n != nil {
		p := n.Ports
		only(p.NFS, p.Rpcbind, p.Mountd, p.Lockd, p.Statd, p.StatdOutgoing)
	}
	return out
}

// protocols returns those of the cluster's exposures: tcp, udp, and the others sorted.
func protocols(c *schema.Cluster) []string {
	var others []string
	for _, e := range c.Exposures {
		if !schema.HasPorts(e.Proto) {
			others = append(others, e.Proto)
		}
	}
	slices.Sort(others)
	return append([]string{"tcp", "udp"}, slices.Compact(others)...)
}
