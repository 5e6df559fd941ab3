package runbook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// With a file system of its own, a share whose disk is not mounted is refused, and what shows in its place is shut: a
// service that starts too early fails, where it would have begun anew on the wrong disk.
func TestLongOwnFilesystem(t *testing.T) {
	c := target(t)
	share(c, "/var/lib/share", "own")
	s := newSandbox(t, c)
	node := filepath.Join(s.fake, "hosts/10.0.0.11")
	share, disk := filepath.Join(node, "var/lib/share"), filepath.Join(node, "disk")
	r := s.want(1, "run", "--yes", "--to", "preflight")
	if !strings.Contains(r.stdout, "/var/lib/share is not a mount point") || !strings.Contains(r.stdout, "fstab") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if _, err := os.Stat(share); err == nil {
		t.Error("the runbook made the mount point")
	}

	// An earlier bundle, before there was a disk, has given the directory to the storage.
	must(t, os.Mkdir(share, 0o755))
	must(t, os.Chown(share, c.Services.S3.UID, c.Services.S3.GID))
	must(t, os.Mkdir(disk, 0o755))
	s.want(0, "run", "--yes", "--to", "storage")
	for path, want := range map[string][3]uint32{share: {0, 0, 0}, disk: {uint32(c.Services.S3.UID), uint32(c.Services.S3.GID), 0o755}} {
		info, err := os.Stat(path)
		must(t, err)
		st := info.Sys().(*syscall.Stat_t)
		if have := [3]uint32{st.Uid, st.Gid, uint32(info.Mode().Perm())}; have != want {
			t.Errorf("%s is %o, want %o", path, have, want)
		}
	}
	if r = s.want(0, "run", "--to", "storage"); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}

	// The node boots without its disk.
	must(t, os.Rename(disk, disk+".away"))
	r = s.want(1, "run", "--yes", "--to", "storage")
	if !strings.Contains(r.stdout, "/var/lib/share is not a mount point") || !strings.Contains(r.stderr, "stopped at step storage") {
		t.Errorf("%s\n%s", r.stdout, r.stderr)
	}
	write := exec.Command("sh", "-c", "echo lost >"+share+"/file")
	write.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(c.Services.S3.UID), Gid: uint32(c.Services.S3.GID)}}
	if write.Run() == nil {
		t.Error("the storage can write where its disk is not mounted")
	}
}
