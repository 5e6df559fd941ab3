package schema_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// meshOf loads a cluster of these nodes with a mesh.
func meshOf(t *testing.T, names ...string) *schema.Cluster {
	t.Helper()
	var b strings.Builder
	b.WriteString("name: mesh\nkind: target\ndomain: mesh.example.org\naccess: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32]}\nservices: {vpn: {mesh: {}}}\nnodes:\n")
	for i, name := range names {
		role := map[bool]string{true: "manager", false: "worker"}[name == "m1"]
		fmt.Fprintf(&b, "  %s: {address: 10.0.0.%d, role: %s}\n", name, i+1, role)
	}
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Nodes come and go, and nobody else's address in the mesh moves. These addresses are what swarms have joined with: they
// stay the same in every later skep.
func TestMeshAddresses(t *testing.T) {
	want := map[string]string{"m1": "10.190.152.74", "w1": "10.190.88.148", "w2": "10.190.77.219"}
	for _, names := range [][]string{{"m1", "w1", "w2"}, {"a0", "m1", "w1", "w2", "z9"}, {"m1", "w2"}, {"w1", "m1"}} {
		c := meshOf(t, names...)
		for _, n := range c.Nodes {
			if w := want[n.Name]; w != "" && n.Address.String() != w {
				t.Errorf("%v: %s is %s, want %s", names, n.Name, n.Address, w)
			}
			if !c.Mesh().Subnet.Contains(n.Address) || !n.Underlay.IsValid() {
				t.Errorf("%v: %s is %s, on the link %s", names, n.Name, n.Address, n.Underlay)
			}
		}
	}
}

// A node answers at all of its addresses, in the mesh first.
func TestAddresses(t *testing.T) {
	one, two, three := netip.MustParseAddr("10.190.0.1"), netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("10.0.0.1")
	for _, test := range []struct {
		node schema.Node
		want []netip.Addr
	}{
		{schema.Node{Address: three}, []netip.Addr{three}},
		{schema.Node{Address: three, Public: two}, []netip.Addr{three, two}},
		{schema.Node{Address: one, Public: three, Underlay: three}, []netip.Addr{one, three}},
		{schema.Node{Address: one, Public: two, Underlay: three}, []netip.Addr{one, two, three}},
	} {
		if got := test.node.Addresses(); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
}
