package firewall

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// TestTenThousandNodes loads the rules of a cluster with 1,000 networks in each zone and addresses of which no two merge.
func TestTenThousandNodes(t *testing.T) {
	kernel(t)
	if m, err := os.ReadFile("/proc/self/uid_map"); err != nil || len(bytes.Fields(m)) != 3 || string(bytes.Fields(m)[2]) != "4294967295" {
		judge.Missing(t, "run as root: in a user namespace the kernel limits the size of a netlink message (net.core.wmem_max)")
	}
	c := *specs(t)["target"]
	c.Nodes = append(schema.Nodes{}, c.Nodes...)
	for a := netip.MustParseAddr("10.128.0.1"); len(c.Nodes) < 10_000; a = a.Next().Next() {
		c.Nodes = append(c.Nodes, schema.Node{Name: fmt.Sprintf("x%05d", len(c.Nodes)), Role: "worker", Address: a})
	}
	for i, zone := range []*[]netip.Prefix{&c.Access.Management, &c.Access.Nuvla, &c.Access.Users} {
		*zone = nil
		for n := range 1000 {
			*zone = append(*zone, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(20 + i), byte(n / 250), byte(n % 250), 0}), 25))
		}
	}
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := c
			c.Firewall.Backend = backend
			tr := newTrial(t, "scale"+backend, &c)
			if n := len(firewall.Classes(&c)); n != 2 {
				t.Errorf("%d classes, want 2", n)
			}
			for i, path := range tr.rules {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(tr.dir, "etc", filepath.Base(firewall.BackendOf(&c).Installed()[i])), data)
			}
			for range 2 {
				begin := time.Now()
				tr.want(t, 0, "", "", "load")
				t.Logf("loaded in %v", time.Since(begin).Round(time.Millisecond))
				if got := strings.Count(tr.own(t), "10.1"); got < 9_997 {
					t.Fatalf("the kernel has %d nodes, want 9997", got)
				}
			}
		})
	}
}
