package firewall

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
)

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
	if got := portsOf(c, row); !slices.Equal(got, want) {
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

// TestBackends: each backend of the schema is one of the slice, and the reverse.
func TestBackends(t *testing.T) {
	data, err := os.ReadFile("../../schema/firewall.cue")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\tbackend: \((.*) \| error`).FindSubmatch(data)
	if line == nil {
		t.Fatal("the schema has no backends")
	}
	var names []string
	for _, b := range Backends() {
		names = append(names, fmt.Sprintf("%q", b.Name))
	}
	if got := strings.Join(names, " | "); got != string(line[1]) {
		t.Errorf("backends are %s, the schema has %s", got, line[1])
	}
}
