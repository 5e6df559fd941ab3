package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A node with a past gets it back: the kernel's settings, an NFS server that ran, and units that somebody else had masked.
func TestUndoPast(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "m1", "--host", "w1")
	node := func(path string) string { return filepath.Join(s.fake, "hosts/10.0.0.11", path) }
	const ours = "rpcbind.socket"
	for _, unit := range []string{"nfs-server.service", "nfs-server.service.enabled", ours + ".masked"} {
		must(t, os.WriteFile(node("units/"+unit), nil, 0o644))
	}
	const before = "net.ipv4.ip_local_port_range = 32768 50000\nnet.ipv4.ip_forward = 0\n"
	must(t, os.WriteFile(node("kernel"), []byte(before), 0o644))
	only := []string{"--host", "m1", "--only", "engine", "--only", "storage", "--only", "nfs-server", "--only", "packages"}
	s.want(0, "run", "--yes", "--only", "certificates", "--only", "server-certificates")
	s.want(0, append([]string{"run", "--yes"}, only...)...)
	if b, err := os.ReadFile(node("kernel")); err != nil || strings.HasSuffix(string(b), before) {
		t.Fatalf("%v: the kernel has its old settings:\n%s", err, b)
	}
	if r := s.want(0, append([]string{"run"}, only...)...); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	s.want(0, append([]string{"undo", "--yes", "--only", "server-certificates"}, only...)...)
	b, err := os.ReadFile(node("kernel"))
	must(t, err)
	for line := range strings.Lines(before) {
		key, _, _ := strings.Cut(line, " = ")
		if at := strings.LastIndex(string(b), key); !strings.HasPrefix(string(b)[at:], line) {
			t.Errorf("after undo the kernel lacks %s:\n%s", line, b)
		}
	}
	for path, want := range map[string]bool{
		"units/nfs-server.service": true, "units/nfs-server.service.enabled": true, "units/" + ours + ".masked": true,
		"units/rpc-statd.service.masked": false, "var/lib/skep": false,
	} {
		if _, err := os.Stat(node(path)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
}
