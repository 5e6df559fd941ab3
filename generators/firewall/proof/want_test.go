package proof

import (
	"net/netip"
	"slices"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// wants says what the spec wants of a packet that begins a connection: whether a node lets it in, or passes it on.
type wants struct {
	*Simulator
	cluster zone // the addresses that nodes have for each other
	outside zone // those that they have beside
	own     zone // networks behind nodes that have rules of their own
	outer   map[string]zone
	rows    []schema.Exposure // of the node
	node    schema.Node
}

func (s *Simulator) newWants() wants {
	c := s.cluster
	w := wants{Simulator: s, cluster: newZone("cluster", "", nodeAddresses(c)), outer: map[string]zone{}}
	var outside []netip.Prefix
	for _, n := range c.Nodes {
		for _, a := range n.Addresses() {
			if a != n.Address || a == n.Public {
				outside = append(outside, netset.Host(a))
			}
		}
	}
	w.outside = newZone("public", "", outside)
	own := []netip.Prefix{c.Engine.Bridges.Subnet}
	if m := c.Mesh(); m != nil {
		own = append(own, m.Subnet)
	}
	if a := c.VPNAccess(); a != nil {
		own = append(own, a.Subnet)
	}
	w.own = newZone("own", "", own)
	for _, z := range s.zones {
		w.outer[z.name] = z
	}
	w.outer["public"] = w.outside
	return w
}

// at is what the spec wants of such a node.
func (w wants) at(k kind) wants {
	w.node, w.rows = k.node, k.rows
	return w
}

// allows reports whether the node lets the packet in, or passes it on.
func (w wants) allows(p Packet) bool {
	switch {
	case p.Device == "lo":
		return true
	case w.forged(p):
		return false
	case w.Contained(p) && p.Elsewhere:
		return !w.toNode(p.Dst) || !w.guarded(p, schema.Containers, "users")
	case p.Elsewhere:
		return w.passes(p)
	case p.Proto == "icmp":
		return accepted(netset.FamilyOf(p.Src), p.ICMP)
	case w.Contained(p):
		return w.opens(p, w.admitsInside)
	}
	return w.answers(p) || w.opens(p, w.admits)
}

// forged reports whether the packet claims to come from a member of the cluster, and arrives by another way.
func (w wants) forged(p Packet) bool {
	if m := w.Simulator.cluster.Mesh(); m != nil {
		return p.Device != m.Device && m.Subnet.Contains(p.Src)
	}
	return p.Stray && w.cluster.holds(p.Src)
}

// opens asks the first row of the node that opens the port, of those that say anything about such senders.
func (w wants) opens(p Packet, admits func(schema.Exposure, Packet) (yes, said bool)) bool {
	for _, e := range w.rows {
		if e.Proto != p.Proto || schema.HasPorts(p.Proto) && !netset.Contains(w.Ports(e), p.Port) {
			continue
		}
		if yes, said := admits(e, p); said {
			return yes
		}
	}
	return false
}

// admits reports whether a row lets the sender in. It says so of everybody.
func (w wants) admits(e schema.Exposure, p Packet) (yes, said bool) {
	for _, name := range e.From {
		if name == "anyone" || w.outer[name].holds(p.Src) && w.byItsWay(name, p) {
			return true, true
		}
	}
	return false, true
}

// byItsWay: where there is a mesh, nodes are known by it alone.
func (w wants) byItsWay(zone string, p Packet) bool {
	m := w.Simulator.cluster.Mesh()
	return zone != "cluster" || m == nil || p.Device == m.Device
}

// admitsInside reports whether a row lets in a container, whose address proves no more than that it is not a user's.
func (w wants) admitsInside(e schema.Exposure, p Packet) (yes, said bool) {
	if slices.Contains(e.From, schema.Containers) {
		return true, true
	}
	return w.outer["users"].holds(p.Src), slices.Contains(e.From, "users")
}

// answers reports whether an address server sends it.
func (w wants) answers(p Packet) bool {
	a := w.Simulator.cluster.Firewall.Answers
	if p.Proto != "udp" {
		return false
	}
	if p.Src.Is4() {
		return p.SrcPort == a.DHCP.From && p.Port == a.DHCP.To && !p.Stray
	}
	return p.SrcPort == a.DHCP6.From && p.Port == a.DHCP6.To && p.Src.IsLinkLocalUnicast()
}

// passes reports whether the node passes the packet of another machine on.
func (w wants) passes(p Packet) bool {
	c := w.Simulator.cluster
	if a := c.VPNAccess(); a != nil && a.Node == w.node.Name && a.Device == p.Device {
		return slices.ContainsFunc(a.Routes, func(r netip.Prefix) bool { return r.Contains(p.Dst) }) && w.through(p, a.Zone)
	}
	if m := c.Mesh(); m != nil && m.Device == p.Device {
		return m.Subnet.Contains(p.Dst)
	}
	if p.Stray || w.own.holds(p.Dst) {
		return false
	}
	for _, f := range c.Firewall.Forward {
		if !f.Includes(w.node) || f.Device != "" && f.Device != p.Device || !f.To.Contains(p.Dst) {
			continue
		}
		if n := f.Network(); n.IsValid() && n.Contains(p.Src) {
			return w.through(p, "users")
		} else if !n.IsValid() && w.outer[f.From].holds(p.Src) {
			return w.through(p, f.From)
		}
	}
	return false
}

// through reports whether a zone's packets pass, which look to another node as if this one had sent them.
func (w wants) through(p Packet, zone string) bool { return !w.toNode(p.Dst) || !w.guarded(p, zone) }

func (w wants) toNode(a netip.Addr) bool { return w.cluster.holds(a) || w.outside.holds(a) }

// guarded reports whether what the packet asks for is closed to all of those zones wherever a row names it. A single port
// that is open to one of them on any node is not.
func (w wants) guarded(p Packet, zones ...string) bool {
	closed := false
	for _, e := range w.Simulator.cluster.Exposures {
		if e.Proto != p.Proto || schema.HasPorts(p.Proto) && (p.Port < e.Port || e.Last < p.Port) {
			continue
		}
		open := slices.ContainsFunc(e.From, func(zone string) bool { return slices.Contains(zones, zone) })
		if open && schema.HasPorts(p.Proto) && e.Port == e.Last {
			return false
		}
		closed = closed || !open
	}
	return closed
}
