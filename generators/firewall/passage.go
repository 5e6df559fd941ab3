package firewall

import (
	"fmt"
	"net/netip"
	"slices"

	"skep.dev/schema"
)

// passage is a row of firewall.forward: packets for other machines that the nodes of a class pass on.
type passage struct {
	schema.Forward
	field   string
	from    zone
	through string // the zone whose ports on other nodes it reaches
}

// crossing is a zone whose packets are passed on, and the ports of other nodes that are closed to it.
type crossing struct {
	zone   string
	guards []guard
}

// ownNetworks returns the networks behind nodes that have rules of their own.
func ownNetworks(c *schema.Cluster) []zone {
	out := []zone{newZone("bridges", "engine.bridges: containers are reached at published ports only", []netip.Prefix{c.Engine.Bridges.Subnet})}
	if m := c.Mesh(); m != nil {
		out = append(out, newZone("mesh", "services.vpn.mesh.subnet", []netip.Prefix{m.Subnet}))
	}
	if a := c.VPNAccess(); a != nil {
		out = append(out, newZone("vpn", "services.vpn.access.subnet", []netip.Prefix{a.Subnet}))
	}
	return out
}

// passages returns the rows of firewall.forward that the class has.
func passages(c *schema.Cluster, class Class, s shared) []passage {
	var out []passage
	for _, i := range class.Forward {
		f := c.Firewall.Forward[i]
		p := passage{Forward: f, field: fmt.Sprintf("firewall.forward.%d", i), through: f.From}
		if network := f.Network(); network.IsValid() {
			p.through = "users"
			p.from = newZone(fmt.Sprintf("forward%d", i), p.field, []netip.Prefix{network})
		} else {
			p.from = s.zones[slices.IndexFunc(s.zones, func(z zone) bool { return z.name == f.From })]
		}
		out = append(out, p)
	}
	return out
}

// crossings returns what is closed to each zone whose packets the policy passes on.
func (p policy) crossings() []crossing {
	var names []string
	if p.clients != nil {
		names = append(names, p.clients.zone)
	}
	for _, f := range p.forward {
		names = append(names, f.through)
	}
	slices.Sort(names)
	var out []crossing
	for _, zone := range slices.Compact(names) {
		out = append(out, crossing{zone, guards(p.cluster, zone)})
	}
	return out
}
