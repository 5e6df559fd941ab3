package runbook_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// withShares is the example with shares for applications.
func withShares(t *testing.T, shares string) *schema.Cluster {
	t.Helper()
	text, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	c, _, err := spec.LoadFS(fstest.MapFS{"a.cue": {Data: []byte(string(text) + "\ncluster: services: nfs: shares: {" + shares + "}\n")}}, "a.cue", spec.DefaultLimits())
	must(t, err)
	share(c, "/var/lib/share", "any")
	return c
}

// A cluster of an older bundle gets shares: the server does not start anew, which would stop every client for the length
// of its grace period. Directories are made once, and then they are the applications': no run takes them back.
func TestLongShares(t *testing.T) {
	s := newSandbox(t, target(t))
	node := filepath.Join(s.fake, "hosts/10.0.0.11")
	only := []string{"--yes", "--only", "storage", "--only", "nfs-server"}
	s.want(0, append([]string{"run", "--only", "preflight", "--host", "m1"}, only...)...)
	var settings []byte // as an older skep counted them
	for _, file := range []string{"etc/exports.d/skep.exports", "etc/nfs.conf.d/skep.conf"} {
		b, err := os.ReadFile(filepath.Join(node, file))
		must(t, err)
		settings = append(settings, b...)
	}
	must(t, os.WriteFile(filepath.Join(node, "var/lib/skep/nfs.running"), fmt.Appendf(nil, "%x\n", sha256.Sum256(settings)), 0o644))

	s.build(withShares(t, `
		shop: {path: "/var/lib/shop", mode: "read-write", owner: {uid: 999, gid: 998}}
		mail: {path: "/var/lib/mail-1", mode: "read-write", squash: "none"}
	`))
	since := len(s.calls())
	s.want(0, append([]string{"run"}, only...)...)
	for _, change := range s.changes(since) {
		if strings.Contains(change, "nfs-server") && !strings.Contains(change, " enable ") {
			t.Errorf("mounts that are there are interrupted: %s", change)
		}
	}
	if !strings.Contains(s.calls()[since:], "exportfs -ra") {
		t.Error("the kernel is not told of the exports")
	}
	shop, mail := filepath.Join(node, "var/lib/shop"), filepath.Join(node, "var/lib/mail-1")
	owned(t, shop, 999, 998, 0o755)
	owned(t, mail, 65534, 65534, 0o755)

	// As a database and a mail server do when they start.
	must(t, os.Chmod(shop, 0o700))
	must(t, os.Chown(mail, 0, 5000))
	must(t, os.Chmod(mail, 0o750))
	must(t, os.WriteFile(filepath.Join(shop, "file"), []byte("data\n"), 0o600))
	if r := s.want(0, append([]string{"run"}, only...)...); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	must(t, os.Chown(filepath.Join(node, "var/lib/share"), 0, 0)) // so that the step has something to do
	s.want(0, append([]string{"run"}, only...)...)
	owned(t, shop, 999, 998, 0o700)
	owned(t, mail, 0, 5000, 0o750)

	must(t, os.Remove(mail))
	s.want(0, append([]string{"run"}, only...)...)
	owned(t, mail, 65534, 65534, 0o755)
	s.want(0, append([]string{"undo"}, only...)...)
	if b, err := os.ReadFile(filepath.Join(shop, "file")); string(b) != "data\n" {
		t.Errorf("undo took data: %v", err)
	}
}

// A share whose disk is not mounted is refused by the name of its field, and somebody else's export of a share is, too.
func TestLongSharesRefused(t *testing.T) {
	s := newSandbox(t, withShares(t, `shop: {path: "/var/lib/shop", filesystem: "own", mode: "read-write"}`))
	r := s.want(1, "run", "--yes", "--only", "preflight", "--only", "storage", "--host", "m1")
	if want := `/var/lib/shop is not a mount point, and services.nfs.shares.shop.filesystem is "own"`; !strings.Contains(r.stdout, want) {
		t.Errorf("want %s:\n%s", want, r.stdout)
	}
	s.build(withShares(t, `shop: {path: "/var/lib/shop", mode: "read-write"}`))
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts/10.0.0.11/etc/exports"), []byte("/var/lib/shop/a *(rw)\n"), 0o644))
	r = s.want(1, "run", "--dry-run", "--only", "nfs-server")
	if want := "/etc/exports exports /var/lib/shop/a, and /var/lib/shop is to be for the nodes alone"; !strings.Contains(r.stdout, want) {
		t.Errorf("want %s:\n%s", want, r.stdout)
	}
}

// owned wants a directory to have that owner, group and mode.
func owned(t *testing.T, path string, uid, gid uint32, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	if st := info.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != gid || info.Mode().Perm() != mode {
		t.Errorf("%s is %d:%d %o, want %d:%d %o", path, st.Uid, st.Gid, info.Mode().Perm(), uid, gid, mode)
	}
}
