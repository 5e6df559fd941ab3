package lab

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// elsewhere is a cluster that has nothing in common with the lab's own.
const elsewhere = `package cluster

import "skep.dev/schema"

cluster: schema.#Cluster
cluster: {
	name:   "elsewhere"
	kind:   "target"
	domain: "elsewhere.example.org"
	nodes: {
		alpha: {address: "172.31.7.5", public: "fd77::5", role: "manager", ssh: {user: "ops", port: 2222}}
		"beta-2": {address: "172.31.7.6", public: "fd77::6"}
	}
	access: {
		management: ["192.0.2.16/28", "2001:db8:7::/64"]
		nuvla: ["203.0.113.10/32"]
		users: ["0.0.0.0/0", "::/0"]
	}
	firewall: backend: "iptables"
	services: {}
}
`

// TestSpec raises the lab for another spec: names, addresses of both families, a login that is not root, an ssh port, the
// other backend of the firewall. The bundle's runbook comes to its nodes from the zone management, and the rules are tried
// before and after a reboot.
func TestSpec(t *testing.T) {
	if *vm {
		t.Skip("-vm runs TestLab alone")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cluster.cue"), elsewhere)
	l := newLab(t, dir)
	l.compile(t)
	l.spec = elsewhere
	l.build(t)
	l.images = t.TempDir()
	for _, line := range []string{"alpha 172.31.7.5 fd77::5", "beta-2 172.31.7.6 fd77::6", "management 192.0.2.18 2001:db8:7::2", "nuvla 203.0.113.10", "neighbour 172.31.7.99 fd77::9999"} {
		if !strings.Contains(strings.Join(strings.Fields(l.do(t, "status")), " "), line) {
			t.Errorf("lab status lacks %q:\n%s", line, l.do(t, "status"))
		}
	}
	l.run(t, "--only", "firewall", "--only", "preflight")
	l.elsewhere(t)
	l.do(t, "reboot", "beta-2")
	l.do(t, "stop", "alpha")
	l.do(t, "start", "alpha")
	l.elsewhere(t)
	t.Run("transit", func(t *testing.T) { transit(t, l) })
	for _, node := range l.nodes(t) {
		l.on(t, node, "systemctl is-active skep-firewall docker && skep-firewall status")
	}
}

// elsewhere tries a few ports over both families.
func (l *lab) elsewhere(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		from, to string
		port     string
		open     bool
	}{
		{"management", "172.31.7.5", "2222", true},
		{"management", "fd77::5", "2222", true},
		{"management", "fd77::6", "22", true},
		{"management", "fd77::6", "2222", false},
		{"users", "172.31.7.5", "2222", false},
		{"users", "fd77::5", "2222", false},
		{"users", "fd77::6", "30000", true},
		{"nuvla", "172.31.7.5", "2376", true},
		{"neighbour", "fd77::5", "2377", false},
		{"beta-2", "172.31.7.5", "2377", true},
	} {
		if open, err := passes(c.from, net.JoinHostPort(c.to, c.port), 2*time.Second); open != c.open || err != nil {
			t.Errorf("%s -> %s %s: open is %v, want %v (%v)", c.from, c.to, c.port, open, c.open, err)
		}
	}
}
