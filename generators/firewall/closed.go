package firewall

import (
	"net/netip"
	"slices"
	"strings"

	"skep.dev/schema"
)

// closedFrom is where the closed minimum comes from: what a node lets in when its own rules are broken. The command carries
// it, so that it is there when nothing else is; and since all nodes have one command, the ssh ports of all.
const closedFrom = "access.management, nodes.*.ssh.port: the closed minimum"

// closedPolicy lets in ssh, and the port of the VPN where management comes through it.
func closedPolicy(c *schema.Cluster, s shared) policy {
	class := Class{Name: "closed minimum"}
	for _, e := range c.Exposures {
		if e.IsSSH() || e.Name == "vpn-mesh" && byMesh(c) || e.Name == "vpn-access" && byVPN(c) {
			class.Exposures = append(class.Exposures, e)
		}
	}
	p := newPolicy(c, class, s)
	p.nodes, p.public, p.clients, p.inside = zone{}, zone{}, nil, nil
	p.sources = sources(p.outside)
	return p
}

func splitLines(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

// byMesh reports whether somebody of management is a member of the mesh.
func byMesh(c *schema.Cluster) bool {
	m := c.Mesh()
	return m != nil && overlaps(c, m.Subnet)
}

// byVPN reports whether somebody of management is a client of the VPN.
func byVPN(c *schema.Cluster) bool {
	a := c.VPNAccess()
	return a != nil && (a.Zone == "management" || overlaps(c, a.Subnet))
}

func overlaps(c *schema.Cluster, subnet netip.Prefix) bool {
	return slices.ContainsFunc(c.Zone("management"), subnet.Overlaps)
}
