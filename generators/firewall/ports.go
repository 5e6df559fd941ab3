package firewall

import (
	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// portsOf returns what is left of the exposure's port range when every port that the cluster needs for itself is taken
// out of it: a range for applications never opens a single port that another row protects, on any node.
// It is empty for a protocol without ports, and the port itself for a single port.
func portsOf(c *schema.Cluster, e schema.Exposure) []schema.PortRange {
	if !schema.HasPorts(e.Proto) {
		return nil
	}
	whole := []schema.PortRange{{First: e.Port, Last: e.Last}}
	if e.Port == e.Last {
		return whole
	}
	return netset.Subtract(whole, taken(c, e))
}

// taken returns the ranges that e must leave alone: all narrower rows of its protocol, the plain Docker API, and every
// port of NFS, whose NFSv3 daemons may listen although NFSv4 alone is served.
func taken(c *schema.Cluster, e schema.Exposure) []schema.PortRange {
	var out []schema.PortRange
	for _, other := range c.Exposures {
		if other.Proto == e.Proto && other.Name != e.Name && other.Last-other.Port < e.Last-e.Port {
			out = append(out, schema.PortRange{First: other.Port, Last: other.Last})
		}
	}
	if e.Proto == "tcp" && c.Engine.Ports.Plain != 0 { // the API without TLS listens nowhere, and shall not be reached if it does
		out = append(out, schema.PortRange{First: c.Engine.Ports.Plain, Last: c.Engine.Ports.Plain})
	}
	if n := c.Services.NFS; n != nil {
		p := n.Ports
		for _, port := range []uint16{p.Rpcbind, p.NFS, p.Mountd, p.Lockd, p.Statd, p.StatdOutgoing} {
			out = append(out, schema.PortRange{First: port, Last: port})
		}
	}
	return out
}
