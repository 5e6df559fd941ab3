//go:build unix

package artifact

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// killAt is how the test below starts itself again: "N DIR" writes the bundle after to DIR and dies before its
// N-th change of the disk.
const killAt = "SKEP_TEST_KILL_AT"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(killAt)); err == nil {
		_, err := write(os.Getenv(killAt+"_DIR"), after, keepEdits, countdown(n, func() error {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}))
		if err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// countdown lets n changes of the disk pass, and calls stop from then on.
func countdown(n int, stop func() error) func() error {
	return func() error {
		n--
		if n < 0 {
			return stop()
		}
		return nil
	}
}

// TestKill kills a real process before each change that it makes to a bundle. What it leaves is never taken for
// edited or foreign files: the next build completes it, another takes it back, a third makes something else of it.
func TestKill(t *testing.T) {
	for _, start := range []struct {
		name    string
		files   []File
		foreign map[string]string
	}{{"first build", nil, nil}, {"rebuild", before, foreign}} {
		t.Run(start.name, func(t *testing.T) {
			nexts := [][]File{after, before, third}
			var want []map[string]string
			for _, next := range nexts {
				want = append(want, whole(t, next, start.foreign))
			}
			for n := 0; ; n++ {
				dir := filepath.Join(t.TempDir(), "bundle")
				if start.files != nil {
					mustWrite(t, dir, start.files)
					lay(t, dir, start.foreign)
				}
				if !killed(t, n, dir) {
					if n < 10 {
						t.Errorf("only %d changes: the process was not killed where it should", n)
					}
					return
				}
				checkBetween(t, dir, start.files)
				for i, next := range nexts {
					again := filepath.Join(t.TempDir(), "bundle")
					if err := os.CopyFS(again, os.DirFS(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Fatal(err)
					}
					mustWrite(t, again, next)
					same(t, tree(t, again), want[i])
				}
			}
		})
	}
}

// TestKillTwice interrupts the write that follows an interrupted one, at each pair of places.
func TestKillTwice(t *testing.T) {
	dead := errors.New("killed")
	stop := func() error { return dead }
	bundles := [][]File{
		{text("a", "1"), text("d/b", "1")},
		{text("a", "2"), text("e/c", "2")},
		{text("a", "3"), text("d/b", "3")},
	}
	var want []map[string]string
	for _, files := range bundles {
		want = append(want, whole(t, files, nil))
	}
	for n := 0; ; n++ {
		for m := 0; ; m++ {
			dir := filepath.Join(t.TempDir(), "bundle")
			mustWrite(t, dir, bundles[0])
			_, first := write(dir, bundles[1], keepEdits, countdown(n, stop))
			_, second := write(dir, bundles[2], keepEdits, countdown(m, stop))
			for _, err := range []error{first, second} {
				if err != nil && !errors.Is(err, dead) {
					t.Fatalf("%d, %d: %v", n, m, err)
				}
			}
			last := bundles[(n+m)%len(bundles)]
			mustWrite(t, dir, last)
			same(t, tree(t, dir), want[(n+m)%len(bundles)])
			if first == nil {
				return
			}
			if second == nil {
				break
			}
		}
	}
}

// killed writes the bundle after in another process, which is killed before its n-th change unless it is done by then.
func killed(t *testing.T, n int, dir string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killAt+"="+strconv.Itoa(n), killAt+"_DIR="+dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	t.Fatalf("%v\n%s", err, out)
	return false
}

// checkBetween checks that each file is the old one or the new one, never a part of one, and that only a whole
// bundle passes as up to date.
func checkBetween(t *testing.T, dir string, old []File) {
	t.Helper()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && old == nil {
		return
	}
	got := tree(t, dir)
	for path, state := range got {
		if filepath.Dir(path) == workName || path == workName || state[0] == 'd' || path == ManifestName || foreign[path] != "" {
			continue
		}
		if !holds(old, path, state) && !holds(after, path, state) {
			t.Errorf("%s: %q is of neither bundle", path, state)
		}
	}
	for path, data := range foreign {
		if old != nil && got[path] != "-rw-r--r-- "+data {
			t.Errorf("foreign %s: %q", path, got[path])
		}
	}
	diff, err := Diff(dir, after)
	if err != nil {
		t.Error(err)
	}
	for _, d := range diff {
		if d.Kind == Edited || d.Kind == Foreign && foreign[d.Path] == "" {
			t.Errorf("%s: taken for %s", d.Path, d.Kind)
		}
	}
}

func holds(files []File, path, state string) bool {
	for _, f := range files {
		if f.Path == path && (state == "-rw-r--r-- "+string(f.Data) || state == "-rwxr-xr-x "+string(f.Data)) {
			return true
		}
	}
	return false
}

// whole is the tree of a bundle of the files, and of the foreign ones when with has them.
func whole(t *testing.T, files []File, with map[string]string) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	mustWrite(t, dir, files)
	lay(t, dir, with)
	return tree(t, dir)
}

// Modes are the bundle's own, whatever the umask takes away, also when a write was interrupted.
func TestModesUnderUmasks(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o027, 0o077, 0o177} {
		old := syscall.Umask(umask)
		dir := filepath.Join(t.TempDir(), "bundle")
		dead := errors.New("killed")
		for _, n := range []int{2, 1 << 20} {
			if _, err := write(dir, after, keepEdits, countdown(n, func() error { return dead })); err != nil && !errors.Is(err, dead) {
				t.Error(err)
			}
		}
		syscall.Umask(old)
		if got, want := tree(t, dir), whole(t, after, nil); !maps.Equal(got, want) {
			t.Errorf("umask %03o: %v, want %v", umask, got, want)
		}
	}
}

// Two builds of one bundle at a time would each take the other's files for foreign ones.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	unlock, err := lock(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, after); !errors.As(err, new(Refusal)) || err.Error() != dir+": another skep is writing here" {
		t.Errorf("got %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, after)
}
