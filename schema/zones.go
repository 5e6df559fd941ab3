package schema

import (
	"net/netip"
	"slices"
)

// Containers is the zone of a node's own containers: it has no addresses, they are told by their interface.
const Containers = "containers"

// Zones are the names that an exposure may be open to, and a test may ask from, on clusters of any kind.
func Zones() []string { return []string{"management", "nuvla", "users", "cluster", Containers} }

// ServesNuvla reports whether Nuvla drives the cluster or runs on it. Elsewhere no zone is Nuvla's, and nothing tells of it.
func (c *Cluster) ServesNuvla() bool { return c.Kind != "swarm" }

// Zones are the zones of this cluster.
func (c *Cluster) Zones() []string {
	return slices.DeleteFunc(Zones(), func(zone string) bool { return zone == "nuvla" && !c.ServesNuvla() })
}

// AccessZones are the zones that the spec lists addresses of.
func AccessZones() []string { return Zones()[:3] }

// Listed returns the prefixes that the spec lists for a zone, or nil for "cluster" and "containers". Clients of the VPN and
// peers of the mesh are not among them: Cluster.Zone has everybody.
func (a Access) Listed(name string) []netip.Prefix {
	switch name {
	case "management":
		return a.Management
	case "nuvla":
		return a.Nuvla
	case "users":
		return a.Users
	}
	return nil
}

// Zone returns everybody in a zone outside the cluster: the addresses of the spec, and the VPN's clients and peers. Beyond
// the VPN's server, clients come with its address.
func (c *Cluster) Zone(name string) []netip.Prefix {
	prefixes := slices.Clone(c.Access.Listed(name))
	host := func(a netip.Addr) { prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen())) }
	if a := c.VPNAccess(); a != nil && a.Zone == name {
		prefixes = append(prefixes, a.Subnet)
		if server := c.Node(a.Node); len(c.Nodes) > 1 {
			host(server.Address)
			if server.Underlay.IsValid() {
				host(server.Underlay)
			}
		}
	}
	if m := c.Mesh(); m != nil {
		for _, p := range m.Peers {
			if p.Zone == name {
				host(m.OfPeer(p))
			}
		}
	}
	return prefixes
}
