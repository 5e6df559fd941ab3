package schema

import (
	"maps"
	"slices"
	"strconv"
)

// protocols are the protocols without ports that have a name here, and their numbers (IANA, protocol-numbers).
var protocols = map[string]int{"ah": 51, "esp": 50, "gre": 47, "igmp": 2, "ipip": 4, "l2tp": 115, "ospf": 89, "pim": 103, "vrrp": 112}

// elsewhere are numbers that have other words: "icmp" is let in as far as IP needs it.
var elsewhere = map[int]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}

// HasPorts reports whether packets of the protocol ask for a port.
func HasPorts(proto string) bool { return proto == "tcp" || proto == "udp" }

// ProtocolNumber returns the number of a protocol without ports, given by its name or number; false for what is none.
func ProtocolNumber(proto string) (int, bool) {
	if n, ok := protocols[proto]; ok {
		return n, true
	}
	n, err := strconv.Atoi(proto)
	if err != nil || n < 1 || n > 254 || elsewhere[n] != "" || strconv.Itoa(n) != proto {
		return 0, false
	}
	return n, true
}

// Protocol returns the name of a protocol by its number, or the number where it has none.
func Protocol(number int) string {
	for name, n := range protocols {
		if n == number {
			return name
		}
	}
	return strconv.Itoa(number)
}

// ProtocolNames returns the names that ProtocolNumber knows, sorted.
func ProtocolNames() []string { return slices.Sorted(maps.Keys(protocols)) }
