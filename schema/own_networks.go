package schema

import "net/netip"

// OwnNetwork is a network that the cluster uses for itself, and the field that says so.
type OwnNetwork struct {
	Field  string
	Prefix netip.Prefix
}

// OwnNetworks returns the networks that the cluster uses for itself, without those of users' stacks.
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

// StackNetworks returns the networks to which Compose files give a range; one that is no range is told elsewhere.
func (c *Cluster) StackNetworks() []OwnNetwork {
	var all []OwnNetwork
	for _, s := range c.Stacks {
		for _, name := range s.Makes() {
			for _, subnet := range s.Subnets(name) {
				if p, err := netip.ParsePrefix(subnet); err == nil {
					all = append(all, OwnNetwork{s.Field() + " networks." + name, p})
				}
			}
		}
	}
	return all
}
