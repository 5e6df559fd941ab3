package lint

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// shared is the range of carriers (RFC 6598): as little of the internet as the private ranges.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// clear finds nodes that talk to each other in the clear over addresses of the internet.
func (l *linter) clear() {
	var public []string
	for _, n := range l.Nodes {
		if !isPrivate(n.Address) {
			public = append(public, n.Name)
		}
	}
	var what []string
	if !l.Network.Public.Encrypted {
		what = append(what, "overlay traffic")
	}
	what = append(what, slices.Sorted(maps.Keys(l.Rows.Clear))...)
	if len(public) == 0 || len(l.Nodes) == 1 || len(what) == 0 || l.Mesh() != nil {
		return
	}
	verb := "have public addresses"
	if len(public) == 1 {
		verb = "has a public address"
	}
	l.add("nodes-clear", "nodes", fmt.Sprintf("%s %s, and %s between the nodes is neither encrypted nor signed; services.vpn.mesh makes it so", finding.Several(public), verb, strings.Join(what, " and ")))
}

// narrowest is the prefix length from which a network may be somebody's own; wider ones are parts of the world.
const narrowest = 8

// wide finds users whose networks hold a range of the cluster's own.
func (l *linter) wide() {
	for i, p := range l.Access.Users {
		for _, s := range append(l.OwnNetworks(), l.StackNetworks()...) {
			if p.Bits() >= narrowest && p.Bits() < s.Prefix.Bits() && p.Overlaps(s.Prefix) {
				l.add("users-range", fmt.Sprintf("access.users.%d", i), fmt.Sprintf("holds %s, which is %s: users there get no answer from containers", s.Field, s.Prefix))
			}
		}
	}
}
