package runbook_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// settled is a sandbox of the cluster after its first run. That starts ten thousand programs, so tests that begin alike have
// copies of one.
func settled(t testing.TB, c *schema.Cluster) *sandbox {
	t.Helper()
	s := newSandbox(t, c)
	manifest, err := os.ReadFile(filepath.Join(s.bundle, artifact.ManifestName))
	must(t, err)
	made, _ := originals.LoadOrStore(string(manifest), &original{})
	first := made.(*original)
	first.Lock()
	defer first.Unlock()
	if first.dir == "" {
		s.want(0, "run", "--yes")
		dir, err := os.MkdirTemp(beside, "")
		must(t, err)
		for _, d := range []string{s.fake, s.bundle + ".state"} {
			copyTree(t, d, filepath.Join(dir, filepath.Base(d)))
		}
		first.dir, first.fake = dir, s.fake
		return s
	}
	must(t, os.RemoveAll(s.fake))
	for _, d := range []string{s.fake, s.bundle + ".state"} {
		copyTree(t, filepath.Join(first.dir, filepath.Base(d)), d)
	}
	mounts, err := filepath.Glob(filepath.Join(s.fake, "hosts/*/fstab"))
	must(t, err)
	for _, file := range mounts {
		b, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(file, bytes.ReplaceAll(b, []byte(first.fake+"/"), []byte(s.fake+"/")), 0o644))
	}
	return s
}

// original is what settled sandboxes are copied from.
type original struct {
	sync.Mutex
	dir, fake string // where it is kept, and the path that its nodes know
}

var originals sync.Map

var beside string // holds the originals

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "runbook")
	if err != nil {
		panic(err)
	}
	beside = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func copyTree(t testing.TB, from, to string) {
	t.Helper()
	out, err := exec.Command("cp", "-a", "--", from, to).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
