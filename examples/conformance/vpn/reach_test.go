package vpn

import (
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators/firewall"
)

// Connected clients reach what their zone reaches on every node, and nothing that belongs to the nodes, although their
// packets leave the server with a node's address.
func TestReach(t *testing.T) {
	need(t)
	in := install(t, "../../vpn/bundle")
	in.serve(t)
	c := in.cluster
	a := c.VPNAccess()
	newHost(t, "worker", link(c.Node("w1")))
	newHost(t, "beyond", "10.40.9.9") // on the same link, and in no route
	// A port that Docker publishes, and its answer's way back through the node.
	newHost(t, "container", "172.20.0.2")
	on(t, "container", "ip", "route", "replace", "default", "via", link(c.Node(a.Node)), "dev", "eth0", "onlink")
	on(t, "server", "iptables", "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-p", "tcp", "--dport", "30081", "-j", "DNAT", "--to-destination", "172.20.0.2:80")
	on(t, "server", "iptables", "-A", "FORWARD", "-d", "172.20.0.2", "-p", "tcp", "--dport", "80", "-j", "ACCEPT")
	on(t, "server", "iptables", "-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")
	for ns, node := range map[string]string{"server": a.Node, "worker": "w1"} {
		for _, class := range firewall.Classes(c) {
			for _, n := range class.Nodes {
				if n == node {
					on(t, ns, "nft", "-f", filepath.Join(in.bundle, class.Files(c)[0]))
				}
			}
		}
	}
	listeners(t, "server", "0.0.0.0:22", "0.0.0.0:443", "0.0.0.0:2377", "0.0.0.0:30080")
	listeners(t, "worker", "0.0.0.0:22", "0.0.0.0:7946", "0.0.0.0:30080")
	listeners(t, "beyond", "0.0.0.0:30080")
	listeners(t, "container", "0.0.0.0:80")
	if _, ok := connect(t, in.issue(t, "alice")); !ok {
		t.Fatal("alice does not get in")
	}
	client, server := a.Subnet.Addr().Next().Next().String(), link(c.Node(a.Node))
	worker := link(c.Node("w1"))
	for _, test := range []struct{ from, to, seen string }{
		{"client", server + ":443", client},
		{"client", server + ":30080", client},
		{"client", server + ":30081", client},
		{"client", a.Subnet.Addr().Next().String() + ":30081", client},
		{"client", server + ":22", ""},
		{"client", server + ":2377", ""},
		{"client", worker + ":30080", server},
		{"client", worker + ":7946", ""}, // gossip: open to nodes
		{"client", worker + ":22", ""},
		{"server", worker + ":7946", ""}, // outside of the mesh
		{"worker", server + ":2377", ""},
	} {
		who, err := ask(t, test.from, test.to)
		if test.seen == "" && err == nil {
			t.Errorf("%s reaches %s as %s", test.from, test.to, who)
		}
		if test.seen != "" && (err != nil || who != test.seen) {
			t.Errorf("%s to %s: seen as %q, want %q (%v)", test.from, test.to, who, test.seen, err)
		}
	}
	// Only what is pushed goes through the tunnel; a client that adds a route of its own is refused at the server, to a
	// container's own address too.
	for _, to := range []string{"10.40.9.9:30080", "172.20.0.2:80"} {
		host, _, _ := strings.Cut(to, ":")
		on(t, "client", "ip", "route", "add", host+"/32", "dev", "vpn")
		if who, err := ask(t, "client", to); err == nil {
			t.Errorf("a client reaches %s, which no route names, as %s", to, who)
		}
	}
}
