package schema

import (
	"maps"
	"slices"
	"strconv"
	"strings"
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

// protocol refuses what is no protocol, and a number that has a name.
func (k *checker) protocol(path, proto string) {
	if HasPorts(proto) {
		return
	}
	n, ok := ProtocolNumber(proto)
	switch {
	case !ok:
		k.add(path, "want \"tcp\", \"udp\", or a protocol without ports: its number in quotes, or %s", strings.Join(ProtocolNames(), ", "))
	case Protocol(n) != proto:
		k.add(path, "write %q, its name", Protocol(n))
	}
}

// portless looks at a row of the spec's own for a protocol without ports: nothing but the sender's address tells its
// packets apart, so that it has to have one.
func (k *checker) portless(path string, e Exposure) {
	k.protocol(path+".proto", e.Proto)
	switch {
	case HasPorts(e.Proto):
		if e.Port == 0 || e.Last == 0 {
			k.add(path+".port", "want a port, a whole number from 1 to 65535")
		}
		return
	case e.Port != 0 || e.Last != 0:
		k.add(path+".port", "%s has no ports; leave it out", e.Proto)
	}
	if e.Proto == "esp" {
		k.add(path+".proto", "is opened by network.public.encrypted, for the nodes")
	}
	for i, zone := range e.From {
		at := path + ".from." + strconv.Itoa(i)
		if zone == "containers" {
			k.add(at, "%s has no ports: name cluster, or a zone with addresses of its own", e.Proto)
		}
		for _, p := range k.Access.Zone(zone) {
			if p.Bits() == 0 {
				k.add(at, "is the whole world, and %s has no ports: name cluster, or a zone with addresses of its own", e.Proto)
				break
			}
		}
	}
}
