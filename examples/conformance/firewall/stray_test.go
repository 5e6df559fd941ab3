package firewall

import (
	"net/netip"
	"slices"
	"testing"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// TestForgedNode sends overlay data with the address of a node: by the way to that node it is believed, by another link
// it is not, whatever the kernel's own filter of sources says. Others may use that link.
func TestForgedNode(t *testing.T) {
	kernel(t)
	l := newLane(t)
	sh(t, `ip netns exec "$1" sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth1.rp_filter=2`, l.node)
	all := specs(t)
	for _, name := range []string{"target", "six", "vpn"} {
		for _, backend := range backends() {
			t.Run(name+"/"+backend, func(t *testing.T) {
				c := *all[name]
				c.Firewall.Backend = backend
				sim, err := firewall.Simulate(&c, files(t, &c, backend))
				if err != nil {
					t.Fatal(err)
				}
				classes := firewall.Classes(&c)
				class := classes[slices.IndexFunc(classes, serves443)]
				node := c.Node(class.Nodes[0])
				l.load(t, &c, class, node)
				packets := forged(&c, node)
				if c.Mesh() != nil {
					packets = forgedMesh(&c, node)
				}
				sent := map[mark]proof.Packet{}
				for p := range packets {
					sent[markOf(p)] = p
				}
				l.send(t, sent)
				passed := l.passed(t)
				for p, want := range packets {
					if passed[markOf(p)] != want {
						t.Errorf("%+v: passes: %v, want %v", p, passed[markOf(p)], want)
					}
					if v := sim.Decide(node.Name, p); v.Allow != want {
						t.Errorf("%+v: the simulator says %s, want %v", p, v, want)
					}
				}
			})
		}
	}
}

// forged returns packets to the node and whether they are to pass.
func forged(c *schema.Cluster, node schema.Node) map[proof.Packet]bool {
	peer := c.Nodes[slices.IndexFunc(c.Nodes, func(n schema.Node) bool { return n.Name != node.Name })]
	data := proof.Packet{Src: peer.Address, Dst: node.Address, Proto: "udp", SrcPort: 40000, Port: c.Engine.DataPathPort}
	stray := data
	stray.Device, stray.Stray, stray.SrcPort = secondLink, true, 40001
	own := data
	own.Src, own.Stray, own.SrcPort = node.Address, true, 40002
	web := proof.Packet{Device: secondLink, Stray: true, Proto: "tcp", SrcPort: 40003, Port: 443}
	web.Src, web.Dst = netip.MustParseAddr("198.51.100.77"), anyLocal[0].Addr().Next()
	if node.Address.Is6() {
		web.Src, web.Dst = netip.MustParseAddr("2001:db8:77::7"), anyLocal[1].Addr().Next()
	}
	return map[proof.Packet]bool{data: true, stray: false, own: false, web: true}
}

// forgedMesh returns packets to a node of a mesh: nodes and peers are believed out of the tunnel only, and the nodes' own
// addresses on the link open nothing.
func forgedMesh(c *schema.Cluster, node schema.Node) map[proof.Packet]bool {
	m := c.Mesh()
	other := c.Nodes[slices.IndexFunc(c.Nodes, func(n schema.Node) bool { return n.Name != node.Name })]
	boss := m.Peers[slices.IndexFunc(m.Peers, func(p schema.MeshPeer) bool { return p.Zone == "management" })]
	out := map[proof.Packet]bool{}
	for i, ask := range []struct {
		src   netip.Addr
		proto string
		port  uint16
	}{
		{other.Address, "udp", c.Engine.DataPathPort}, {other.Address, "tcp", c.Engine.Ports.Swarm}, {other.Address, "tcp", c.Engine.Ports.Gossip},
		{m.OfPeer(boss), "tcp", node.SSH.Port},
	} {
		p := proof.Packet{Src: ask.src, Dst: node.Address, Proto: ask.proto, Port: ask.port, Stray: true, SrcPort: uint16(41000 + 10*i)}
		for _, device := range []string{meshLink, "", secondLink} {
			p.Device, p.SrcPort = device, p.SrcPort+1
			out[p] = device == meshLink
		}
		p.Device, p.Dst, p.SrcPort = "", node.Underlay, p.SrcPort+1 // to the address on the link
		out[p] = false
		if ask.src == other.Address {
			p.Src, p.SrcPort = other.Underlay, p.SrcPort+1
			out[p] = false
		}
	}
	// A peer's file names the nodes alone; a peer that sends for others all the same gets no further.
	onward := proof.Packet{Device: meshLink, Stray: true, Elsewhere: true, Src: m.OfPeer(boss), Proto: "tcp", SrcPort: 42010, Port: 22}
	for i, to := range []netip.Addr{other.Underlay, netip.MustParseAddr("203.0.113.77"), c.Engine.Bridges.Subnet.Addr().Next().Next(), m.OfNode(other)} {
		onward.Dst, onward.SrcPort = to, uint16(42010+i)
		out[onward] = m.Subnet.Contains(to)
	}
	shake := proof.Packet{Src: netip.MustParseAddr("198.51.100.77"), Dst: anyLocal[0].Addr().Next(), Proto: "udp", SrcPort: 42000, Port: m.Port}
	out[shake] = true
	return out
}

func serves443(class firewall.Class) bool {
	return slices.ContainsFunc(class.Exposures, func(e schema.Exposure) bool { return e.Proto == "tcp" && e.Port == 443 })
}
