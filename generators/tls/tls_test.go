package tls

import (
	"net/netip"
	"slices"
	"testing"

	"skep.dev/schema"
)

func TestNames(t *testing.T) {
	c := &schema.Cluster{
		Domain: "edge.example.org",
		Nodes: schema.Nodes{
			{Name: "m1", Role: "manager", Address: netip.MustParseAddr("10.0.0.11"), Public: netip.MustParseAddr("198.51.100.11")},
			{Name: "w1", Role: "worker", Address: netip.MustParseAddr("10.0.0.12")},
			{Name: "w2", Role: "worker", Address: netip.MustParseAddr("10.0.0.13")},
		},
		Certificates: schema.Certificates{Names: []string{"edge.example.org", "2001:0DB8::0:1", "2001:db8::1", "10.0.0.11"}},
		Secrets:      schema.Secrets{{Name: "web-certificate", Make: "certificate"}},
		Rows: schema.ServiceRows{
			Duties: []schema.Duty{{Name: "traefik", Nodes: []string{"w1"}}},
			Pages:  []schema.Page{{Name: "S3", Host: "s3.example.org"}},
		},
	}
	server := []string{"m1", "10.0.0.11", "198.51.100.11", "edge.example.org", "2001:db8::1", "localhost", "127.0.0.1", "::1"}
	if got := ServerNames(c, c.Nodes[0]); !slices.Equal(got, server) {
		t.Errorf("server %v, want %v", got, server)
	}
	web := []string{"edge.example.org", "s3.example.org", "2001:db8::1", "10.0.0.11", "m1", "198.51.100.11", "w1", "10.0.0.12"}
	if got := WebNames(c); !slices.Equal(got, web) {
		t.Errorf("web %v, want %v", got, web)
	}
	if got, want := list([]string{"m1", "::1"}), "DNS:m1,IP:::1"; got != want {
		t.Errorf("list %s, want %s", got, want)
	}
	c.Secrets[0].Make = "given"
	if got := WebNames(c); got != nil {
		t.Errorf("web %v, want none", got)
	}
}
