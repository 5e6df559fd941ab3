package vpn

import (
	"path/filepath"
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
	if _, ok := connect(t, in.issue(t, "alice")); !ok {
		t.Fatal("alice does not get in")
	}
	client, server := a.Subnet.Addr().Next().Next().String(), link(c.Node(a.Node))
	worker := link(c.Node("w1"))
	for _, test := range []struct{ from, to, seen string }{
		{"client", server + ":443", client},
		{"client", server + ":30080", client},
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
	// Only what is pushed goes through the tunnel; a client that adds a route of its own is refused at the server.
	on(t, "client", "ip", "route", "add", "10.40.9.9/32", "dev", "vpn")
	if who, err := ask(t, "client", "10.40.9.9:30080"); err == nil {
		t.Errorf("a client reaches a network that no route names, as %s", who)
	}
}
