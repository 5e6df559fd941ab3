package runbook_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"skep.dev/schema"
)

// Traefik is not root, so before it is deployed the volume is its own: one that an older bundle left to root keeps its
// file, byte for byte and unreadable to others, and one that is not there yet is made.
func TestLongACMEVolume(t *testing.T) {
	c := target(t)
	c.Services.Traefik.Certificate = schema.WebCertificate{Revision: 1, ACME: &schema.ACME{Email: "ops@example.org", Challenge: "tls"}}
	c.Secrets = slices.DeleteFunc(c.Secrets, func(s schema.Secret) bool { return strings.HasPrefix(s.Name, "web-") })
	s := settled(t, target(t))
	s.build(c)
	since := len(s.calls())
	volume := filepath.Join(s.fake, "hosts", c.Node(c.Services.Traefik.Nodes[0]).Address.String(), "var/lib/docker/volumes/traefik_acme/_data")
	file := filepath.Join(volume, "acme.json")
	owned := func(path string) {
		t.Helper()
		info, err := os.Stat(path)
		must(t, err)
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 65532 || owner.Gid != 65532 {
			t.Errorf("%s belongs to %d:%d", path, owner.Uid, owner.Gid)
		}
	}
	again := func() {
		t.Helper()
		before := len(s.calls())
		s.want(0, "run", "--yes", "--only", "acme")
		if changes := s.changes(before); len(changes) > 0 {
			t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
		}
	}

	must(t, os.MkdirAll(volume, 0o755))
	must(t, os.WriteFile(file, []byte("keys"), 0o600))
	s.want(0, "run", "--yes", "--from", "secrets", "--to", "acme")
	if strings.Contains(s.calls()[since:], "stack deploy --prune") {
		t.Error("Traefik was deployed before its volume was ready")
	}
	owned(volume)
	owned(file)
	data, err := os.ReadFile(file)
	must(t, err)
	info, err := os.Stat(file)
	must(t, err)
	if string(data) != "keys" || info.Mode().Perm() != 0o600 {
		t.Errorf("acme.json is %q with mode %v", data, info.Mode())
	}
	again()

	must(t, os.RemoveAll(filepath.Dir(volume)))
	s.want(0, "run", "--yes", "--only", "acme")
	owned(volume)
	again()
}
