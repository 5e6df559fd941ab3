package firewall

import (
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// closedFrom is where the closed minimum comes from: what a node lets in when its own rules are broken. The command carries
// it, so that it is there when nothing else is; and since all nodes have one command, the ssh ports of all.
const closedFrom = "access.management, nodes.*.ssh.port: the closed minimum"

// closedPolicy lets in ssh, and the port of the VPN where management comes through it.
func closedPolicy(c *schema.Cluster) policy {
	class := Class{Name: "closed minimum"}
	for _, e := range c.Exposures {
		if strings.HasPrefix(e.Name, "ssh-") || e.Name == "vpn-mesh" && byMesh(c) || e.Name == "vpn-access" && byVPN(c) {
			class.Exposures = append(class.Exposures, e)
		}
	}
	p := newPolicy(c, class, newShared(c))
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

// nftClosed writes the closed minimum for `nft -f`.
func nftClosed(p policy) string {
	body := &lines{indent: 1}
	nftSets(body, p)
	body.block("chain prerouting", func() {
		body.add("type filter hook prerouting priority mangle; policy drop;")
		body.add(`iifname "lo" accept`)
		if p.cluster.Mesh() != nil {
			nftStray(body, p)
		}
		body.add("ct state established,related accept")
		nftRefused(body, "forwarded", "fib daddr type != { local, broadcast, multicast, anycast }")
		body.add("jump control")
		body.add("ct state invalid drop")
		nftAnswers(body, p)
		for _, o := range p.outside {
			nftEntry(body, o)
		}
		nftRefused(body, "closed", "")
	})
	body.add("")
	nftSources(body, p)
	nftControl(body)
	nftRefuse(body)
	return nftTable(&lines{}, body)
}

// iptablesClosed writes the closed minimum for `iptables-restore --noflush`.
func iptablesClosed(p policy, f netset.Family) string {
	w := &lines{}
	w.add("*mangle")
	w.add(":%s - [0:0]", chain)
	w.add(":%s-REFUSE - [0:0]", chain)
	for _, s := range p.sources {
		w.add(":%s - [0:0]", sourceChain(s))
	}
	w.add("-A %s -i lo -j RETURN", chain)
	if p.cluster.Mesh() != nil {
		iptablesStrayed(w, p, f)
	}
	w.add("-A %s -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", chain)
	w.add("-A %s %s -g %s-REFUSE", chain, elsewhere(f), chain)
	iptablesControl(w, chain, f)
	w.add("-A %s -m conntrack --ctstate INVALID -j DROP", chain)
	iptablesAnswers(w, p, f)
	for _, o := range p.outside {
		iptablesEntry(w, chain, o, f)
	}
	w.add("-A %s -g %s-REFUSE", chain, chain)
	iptablesSources(w, p, f)
	iptablesRefuse(w)
	w.add("COMMIT")
	return w.String()
}
