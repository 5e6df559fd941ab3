package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// forward looks at what nodes pass on for others.
func (k *checker) forward() {
	for i, f := range k.Firewall.Forward {
		path := fmt.Sprintf("firewall.forward.%d", i)
		if len(f.On) == 0 {
			k.wrong(path+".on", "is empty: name the nodes that pass the packets on, or leave it out for all")
		}
		k.nodesOrGroups(path+".on", f.On)
		k.forwardEnd(path+".from", f.Network())
		k.forwardEnd(path+".to", f.To)
		switch senders := k.Senders(f); {
		case len(senders) == 0:
			k.add(finding.FieldsDisagree, path+".from", "zone %s has no address: nothing would be passed on", f.From)
		case !slices.ContainsFunc(senders, func(p netip.Prefix) bool { return p.Addr().Is4() == f.To.Addr().Is4() }):
			k.add(finding.FieldsDisagree, path+".to", "is %s, and no sender is: %s", family(f.To.Addr()), f.From)
		}
		k.forwardDevice(path+".device", f.Device)
	}
}

// forwardEnd refuses what has a way of its own: containers, the mesh, clients of the VPN, and the nodes themselves.
func (k *checker) forwardEnd(path string, p netip.Prefix) {
	if !p.IsValid() {
		return
	}
	own := []schema.OwnNetwork{{Field: "engine.bridges.subnet", Prefix: k.Engine.Bridges.Subnet}, {Field: "engine.pool.subnet", Prefix: k.Engine.Pool.Subnet}}
	if m := k.Mesh(); m != nil {
		own = append(own, schema.OwnNetwork{Field: "services.vpn.mesh.subnet", Prefix: m.Subnet})
	}
	if a := k.VPNAccess(); a != nil {
		own = append(own, schema.OwnNetwork{Field: "services.vpn.access.subnet", Prefix: a.Subnet})
	}
	for _, s := range own {
		if s.Prefix.Bits() <= p.Bits() && s.Prefix.Overlaps(p) {
			k.add(finding.NetworksOverlap, path, "lies in %s, which is %s: its packets have rules of their own", s.Field, s.Prefix.String())
			return
		}
	}
	for _, n := range k.Nodes {
		if p.IsSingleIP() && slices.Contains(n.Addresses(), p.Addr()) {
			k.wrong(path, "is node %s: what may reach a node is an exposure", n.Name)
		}
	}
}

// forwardDevice refuses interfaces whose packets have rules of their own.
func (k *checker) forwardDevice(path, device string) {
	own := k.Firewall.Interfaces()
	if m := k.Mesh(); m != nil {
		own = append(own, m.Device)
	}
	if a := k.VPNAccess(); a != nil {
		own = append(own, a.Device)
	}
	for _, name := range own {
		if device != "" && matches(name, device) {
			k.wrong(path, "is an interface of Docker or of skep (%s): its packets have rules of their own", name)
			return
		}
	}
}

// bridges refuses those of which the rules know more than that containers are behind them.
func (k *checker) bridges() {
	var own []string
	if m := k.Mesh(); m != nil {
		own = append(own, m.Device)
	}
	if a := k.VPNAccess(); a != nil {
		own = append(own, a.Device)
	}
	for i, pattern := range k.Firewall.Bridges {
		for _, device := range own {
			if matches(pattern, device) {
				k.wrong(fmt.Sprintf("firewall.bridges.%d", i), "is an interface of skep (%s), and no bridge of Docker", device)
			}
		}
	}
}

// matches reports whether a pattern of firewall.bridges is one of the interface.
func matches(pattern, device string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(device, prefix)
	}
	return pattern == device
}
