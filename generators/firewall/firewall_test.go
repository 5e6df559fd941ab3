package firewall

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"skep.dev/schema"
)

func TestMerge(t *testing.T) {
	for _, test := range []struct{ in, want []string }{
		{nil, nil},
		{[]string{"10.0.0.1/32"}, []string{"10.0.0.1/32"}},
		{[]string{"10.0.0.2/32", "10.0.0.3/32", "10.0.0.1/32"}, []string{"10.0.0.1/32", "10.0.0.2/31"}},
		{[]string{"10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"}, []string{"10.0.0.0/30"}},
		{[]string{"10.0.0.1/32", "10.0.0.2/32"}, []string{"10.0.0.1/32", "10.0.0.2/32"}}, // neighbours, not halves
		{[]string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"}, []string{"10.0.0.0/8"}},
		{[]string{"10.1.0.0/16", "10.0.0.0/8", "11.0.0.0/8"}, []string{"10.0.0.0/7"}},
		{[]string{"0.0.0.0/1", "128.0.0.0/1"}, []string{"0.0.0.0/0"}},
		{[]string{"0.0.0.0/0", "192.0.2.1/32"}, []string{"0.0.0.0/0"}},
		{[]string{"10.0.0.7/8"}, []string{"10.0.0.0/8"}}, // host bits
		{[]string{"255.255.255.255/32", "255.255.255.254/32"}, []string{"255.255.255.254/31"}},
		{[]string{"2001:db8::1/128", "2001:db8::/128", "::/0"}, []string{"::/0"}},
		{[]string{"2001:db8::1/128", "2001:db8::/128", "10.0.0.1/32"}, []string{"10.0.0.1/32", "2001:db8::/127"}},
	} {
		var in []netip.Prefix
		for _, s := range test.in {
			in = append(in, netip.MustParsePrefix(s))
		}
		var got []string
		for _, p := range merge(in) {
			got = append(got, p.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("merge(%v) = %v, want %v", test.in, got, test.want)
		}
	}
}

func TestMergeOfAWholeCluster(t *testing.T) {
	var in []netip.Prefix
	a := netip.MustParseAddr("10.0.0.1")
	for range 10_000 {
		in = append(in, host(a))
		a = a.Next()
	}
	if got := merge(in); len(got) > 32 {
		t.Errorf("10,000 consecutive addresses merge to %d prefixes, want at most 32", len(got))
	}
}

func TestSubtract(t *testing.T) {
	type r = schema.PortRange
	whole := []r{{First: 30000, Last: 32767}}
	for _, test := range []struct{ in, holes, want []r }{
		{whole, nil, whole},
		{whole, []r{{First: 22, Last: 22}, {First: 40000, Last: 40001}}, whole},
		{whole, []r{{First: 30000, Last: 30000}}, []r{{First: 30001, Last: 32767}}},
		{whole, []r{{First: 32767, Last: 32767}}, []r{{First: 30000, Last: 32766}}},
		{whole, []r{{First: 31001, Last: 31001}, {First: 31000, Last: 31000}}, []r{{First: 30000, Last: 30999}, {First: 31002, Last: 32767}}},
		{whole, []r{{First: 1, Last: 30010}}, []r{{First: 30011, Last: 32767}}},
		{whole, []r{{First: 30000, Last: 32767}}, nil},
		{[]r{{First: 1, Last: 65535}}, []r{{First: 65535, Last: 65535}, {First: 1, Last: 1}}, []r{{First: 2, Last: 65534}}},
		{[]r{{First: 1, Last: 65535}}, []r{{First: 1, Last: 65535}}, nil},
		{[]r{{First: 5, Last: 9}, {First: 10, Last: 12}}, []r{{First: 10, Last: 10}}, []r{{First: 5, Last: 9}, {First: 11, Last: 12}}},
	} {
		if got := subtract(test.in, test.holes); !slices.Equal(got, test.want) {
			t.Errorf("subtract(%v, %v) = %v, want %v", test.in, test.holes, got, test.want)
		}
	}
}

// TestPortsLeaveNFSAlone: mountd's port lies inside the range for applications, even where only NFSv4 is served.
func TestPortsLeaveNFSAlone(t *testing.T) {
	row := schema.Exposure{Name: "applications", Proto: "udp", Port: 32768, Last: 60999}
	c := &schema.Cluster{
		Exposures: schema.Exposures{
			row,
			{Name: "ssh", Proto: "tcp", Port: 40000, Last: 40000}, // of the other protocol
			{Name: "vxlan", Proto: "udp", Port: 45000, Last: 45000},
		},
		Services: schema.Services{NFS: &schema.NFS{Ports: schema.NFSPorts{Mountd: 33333, Lockd: 33334, Statd: 33335, StatdOutgoing: 33336}}},
	}
	want := []schema.PortRange{{First: 32768, Last: 33332}, {First: 33337, Last: 44999}, {First: 45001, Last: 60999}}
	if got := Ports(c, row); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestClasses(t *testing.T) {
	c := &schema.Cluster{
		Nodes: schema.Nodes{
			{Name: "m1", Role: "manager"}, {Name: "m2", Role: "manager"},
			{Name: "w1", Role: "worker"}, {Name: "w2", Role: "worker"}, {Name: "w3", Role: "worker"}, {Name: "w4", Role: "worker"},
		},
		Exposures: schema.Exposures{
			{Name: "ssh-22", Proto: "tcp", Port: 22, Last: 22, On: []string{"m1", "m2", "w1", "w2"}},
			{Name: "web", Proto: "tcp", Port: 80, Last: 80, On: []string{"m1"}},
			{Name: "nfs", Proto: "tcp", Port: 2049, Last: 2049, On: []string{"w1"}},
			{Name: "ssh-2222", Proto: "tcp", Port: 2222, Last: 2222, On: []string{"w3", "w4"}},
			{Name: "gossip", Proto: "tcp", Port: 7946, Last: 7946, On: []string{"all"}},
			{Name: "swarm", Proto: "tcp", Port: 2377, Last: 2377, On: []string{"managers"}},
		},
		Rows: schema.ServiceRows{Duties: schema.Rows[schema.Duty, *schema.Duty]{
			{Name: "nfs", Nodes: []string{"w1"}},
			{Name: "traefik", Nodes: []string{"m1"}},
			{Name: "monitoring", Nodes: []string{"w2"}}, // opens nothing, so it is no class of its own
		}},
	}
	got := map[string][]string{}
	for _, class := range Classes(c) {
		got[class.Name] = class.Nodes
	}
	want := map[string][]string{
		"manager":         {"m2"},
		"manager-traefik": {"m1"},
		"worker-nfs":      {"w1"},
		"worker-ssh-22":   {"w2"},
		"worker-ssh-2222": {"w3", "w4"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRemark(t *testing.T) {
	for in, want := range map[string]string{
		"it's for \"S3\" \\ TLS": "it's for 'S3' / TLS",
		"a\nb\x00é":              "a b  ",
	} {
		if got := remark(in); got != want {
			t.Errorf("remark(%q) = %q, want %q", in, got, want)
		}
	}
	if got := remark(fmt.Sprintf("%0200d", 0)); len(got) > 128 {
		t.Errorf("remark of a long text has %d bytes, nft takes 128", len(got))
	}
}
