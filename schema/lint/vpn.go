package lint

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
