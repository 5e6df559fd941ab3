package firewall

import "skep.dev/generators/firewall/netset"

// icmpType is a kind of ICMP message, by its name in nft and its number on the wire.
type icmpType struct {
	name   string
	number int
}

// icmpTypes returns what every node accepts from anyone: errors, path MTU, echo, and for IPv6 neighbour discovery and
// multicast listeners (RFC 4890). Redirects are not among them.
func icmpTypes(f netset.Family) []icmpType {
	if f == netset.V4 {
		return []icmpType{
			{"destination-unreachable", 3}, {"echo-request", 8}, {"time-exceeded", 11}, {"parameter-problem", 12},
		}
	}
	return []icmpType{
		{"destination-unreachable", 1}, {"packet-too-big", 2}, {"time-exceeded", 3}, {"parameter-problem", 4},
		{"echo-request", 128}, {"mld-listener-query", 130}, {"mld-listener-report", 131}, {"nd-router-advert", 134},
		{"nd-neighbor-solicit", 135}, {"nd-neighbor-advert", 136}, {"mld2-listener-report", 143},
	}
}
