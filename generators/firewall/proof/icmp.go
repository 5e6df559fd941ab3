package proof

import "skep.dev/generators/firewall/netset"

// icmpTypes are the messages that every node has to accept from anyone, by their names in nft and their numbers on the
// wire: errors, path MTU, echo, and for IPv6 neighbour discovery and multicast listeners (RFC 4890). No redirects.
func icmpTypes(f netset.Family) map[string]int {
	if f == netset.V4 {
		return map[string]int{"destination-unreachable": 3, "echo-request": 8, "time-exceeded": 11, "parameter-problem": 12}
	}
	return map[string]int{
		"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
		"mld-listener-query": 130, "mld-listener-report": 131, "mld2-listener-report": 143,
		"nd-router-advert": 134, "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136,
	}
}

// accepted reports whether a message of that type has to be accepted.
func accepted(f netset.Family, number int) bool {
	for _, n := range icmpTypes(f) {
		if n == number {
			return true
		}
	}
	return false
}
