package schema

import "net/netip"

// OwnNetwork is a network that the cluster uses for itself, and the field that says so.
type OwnNetwork struct {
	Field  string
	Prefix netip.Prefix
}

// OwnNetworks returns the networks that the cluster uses for itself.
func (c *Cluster) OwnNetworks() []OwnNetwork {
	all := []OwnNetwork{{"engine.pool.subnet", c.Engine.Pool.Subnet}, {"engine.bridges.subnet", c.Engine.Bridges.Subnet}}
	if c.Network.Public.Subnet.IsValid() {
		all = append(all, OwnNetwork{"network.public.subnet", c.Network.Public.Subnet})
	}
	if m := c.Mesh(); m != nil {
		all = append(all, OwnNetwork{"services.vpn.mesh.subnet", m.Subnet})
	}
	if a := c.VPNAccess(); a != nil {
		all = append(all, OwnNetwork{"services.vpn.access.subnet", a.Subnet})
	}
	return all
}
