package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What root's keys made before there was a user, and directories that S3 never saw, go over to the user; what belongs to
// somebody else on the node does not, nor what the user has.
func TestLongBuckets(t *testing.T) {
	c := target(t)
	c.Services.S3.UID, c.Services.S3.GID = os.Getuid(), os.Getgid()
	s := settled(t, target(t))
	s.build(c)
	s.want(0, "run", "--yes")
	share := filepath.Join(s.fake, "hosts/10.0.0.11/var/lib/share")
	for _, name := range []string{"old", "mkdir", "mine", "backup", "lost+found", ".sgwtmp"} {
		must(t, os.Mkdir(filepath.Join(share, name), 0o755))
	}
	must(t, os.Chown(filepath.Join(share, "backup"), 12345, 12345))
	must(t, os.MkdirAll(filepath.Join(s.fake, "swarm/buckets"), 0o755))
	s.write("swarm/buckets/old", "ROOT")
	s.write("swarm/buckets/mkdir", "")
	s.write("swarm/buckets/mine", "nuvla")

	before := len(s.calls())
	if r := s.want(0, "run", "--yes", "--only", "buckets"); !strings.Contains(r.stdout, "raise services.s3.revision") {
		t.Errorf("nobody is told that root's keys are with somebody:\n%s", r.stdout)
	}
	changes := s.changes(before)
	for i, bucket := range []string{"mkdir", "old"} {
		if i >= len(changes) || !strings.HasSuffix(changes[i], "http://127.0.0.1:7071/change-bucket-owner?bucket="+bucket+"&owner=nuvla") {
			t.Errorf("%s does not go to nuvla:\n%s", bucket, strings.Join(changes, "\n"))
		}
	}
	if len(changes) != 2 {
		t.Errorf("changes:\n%s", strings.Join(changes, "\n"))
	}
	login, err := os.ReadFile(filepath.Join(s.fake, "login"))
	must(t, err)
	for _, secret := range []string{"s3-access-key-r1", "s3-secret-key-r1"} {
		value, err := os.ReadFile(filepath.Join(s.fake, "swarm/secrets", secret))
		must(t, err)
		if !strings.Contains(string(login), string(value)) || strings.Contains(s.calls(), string(value)) {
			t.Errorf("%s: want it on stdin, and nowhere else", secret)
		}
	}
	before = len(s.calls())
	s.want(0, "run", "--only", "buckets")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("another run changed:\n%s", strings.Join(changes, "\n"))
	}
}
