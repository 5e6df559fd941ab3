package check

import (
	"strconv"
	"strings"

	"skep.dev/schema"
)

// protocol refuses what is no protocol, and a number that has a name.
func (k *checker) protocol(path, proto string) {
	if schema.HasPorts(proto) {
		return
	}
	n, ok := schema.ProtocolNumber(proto)
	switch {
	case !ok:
		k.wrong(path, "want \"tcp\", \"udp\", or a protocol without ports: its number in quotes, or %s", strings.Join(schema.ProtocolNames(), ", "))
	case schema.Protocol(n) != proto:
		k.wrong(path, "write %q, its name", schema.Protocol(n))
	}
}

// portless looks at a row of the spec's own for a protocol without ports: nothing but the sender's address tells its
// packets apart, so that it has to have one.
func (k *checker) portless(path string, e schema.Exposure) {
	k.protocol(path+".proto", e.Proto)
	switch {
	case schema.HasPorts(e.Proto):
		if e.Port == 0 || e.Last == 0 {
			k.wrong(path+".port", "want a port, a whole number from 1 to 65535")
		}
		return
	case e.Port != 0 || e.Last != 0:
		k.wrong(path+".port", "%s has no ports; leave it out", e.Proto)
	}
	if e.Proto == "esp" {
		k.wrong(path+".proto", "is opened by network.public.encrypted, for the nodes")
	}
	for i, zone := range e.From {
		at := path + ".from." + strconv.Itoa(i)
		if zone == schema.Containers {
			k.wrong(at, "%s has no ports: name cluster, or a zone with addresses of its own", e.Proto)
		}
		for _, p := range k.Access.Listed(zone) {
			if p.Bits() == 0 {
				k.wrong(at, "is the whole world, and %s has no ports: name cluster, or a zone with addresses of its own", e.Proto)
				break
			}
		}
	}
}
