package schema

import (
	"fmt"
	"net/netip"
)

// access finds routes that may lead the tunnel of OpenVPN through itself. An endpoint that is an address is checked, and
// refused; where a name leads is not in the spec.
func (l *linter) access() {
	a := l.VPNAccess()
	if a == nil {
		return
	}
	if _, err := netip.ParseAddr(a.Endpoint); err == nil {
		return
	}
	n := l.Node(a.Node)
	outside := n.Address
	if n.Public.IsValid() {
		outside = n.Public
	}
	for i, r := range a.Routes {
		if r.Contains(outside) {
			l.add("vpn-endpoint", fmt.Sprintf("services.vpn.access.routes.%d", i),
				fmt.Sprintf("holds %s, the address of %s: %s must lead clients to another one", outside, a.Node, a.Endpoint))
		}
	}
}

func accessAdvice() []Advice {
	return []Advice{{
		ID:    "vpn-endpoint",
		Title: "the VPN's server may be behind its own tunnel",
		Why:   "Clients send what goes to a pushed route through the tunnel. Where the server's own address lies in one, the tunnel's packets would go through the tunnel, and nothing comes through.",
		Way:   "Name the node's outside address in nodes.NAME.public, or leave its network out of services.vpn.access.routes. Nothing is wrong when the endpoint's name leads to an address outside of all routes, such as that of a router.",
	}}
}
