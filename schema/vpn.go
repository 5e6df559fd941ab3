package schema

import (
	"net/netip"
	"slices"
)

// VPN holds the ways into the cluster from machines that are elsewhere; one that the spec does not name is nil.
type VPN struct {
	Access *VPNAccess `json:"access,omitempty"`
	Mesh   *Mesh      `json:"mesh,omitempty"`
}

// VPNAccess is an OpenVPN server on one node. Days and CADays are lifetimes of certificates, Largest is in bytes.
type VPNAccess struct {
	Scope    string         `json:"scope"` // "customer" or "nuvlabox"
	Node     string         `json:"node"`
	Endpoint string         `json:"endpoint"`
	Port     uint16         `json:"port"`
	Protocol string         `json:"protocol"` // "udp" or "tcp"
	From     []string       `json:"from"`     // zones that may connect
	Zone     string         `json:"zone"`     // the zone that clients are in
	Subnet   netip.Prefix   `json:"subnet"`
	Routes   []netip.Prefix `json:"routes"`
	Prefix   string         `json:"prefix"`
	Days     int            `json:"days"`
	CADays   int            `json:"caDays"`
	Device   string         `json:"device"`
	Largest  int            `json:"largest"`
}

// VPNAccess returns services.vpn.access, or nil.
func (c *Cluster) VPNAccess() *VPNAccess {
	if c.Services.VPN == nil {
		return nil
	}
	return c.Services.VPN.Access
}

// Zone returns everybody in a zone outside the cluster: the addresses of the spec, and the VPN's clients and peers. Beyond
// the VPN's server, clients come with its address.
func (c *Cluster) Zone(name string) []netip.Prefix {
	prefixes := slices.Clone(c.Access.Zone(name))
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
