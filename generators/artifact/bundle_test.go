package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// text is a plain file, program one that is run.
func text(path, data string) File    { return File{Path: path, Mode: 0o644, Data: []byte(data)} }
func program(path, data string) File { return File{Path: path, Mode: 0o755, Data: []byte(data)} }

// before, after and third are three bundles: between any two there are added, changed and removed files, emptied
// directories and a changed mode.
var (
	before = []File{
		text("README.md", "same\n"),
		program("runbook.sh", "one\n"),
		text("images.txt", "mode\n"),
		text("nfs/skep.exports", "stale\n"),
		text("stacks/s3/compose.yaml", "stale\n"),
		text("stacks/traefik/compose.yaml", "one\n"),
	}
	after = []File{
		text("README.md", "same\n"),
		program("runbook.sh", "two\n"),
		program("images.txt", "mode\n"),
		text("firewall/deep/manager.nft", "new\n"),
		text("stacks/traefik/compose.yaml", "two\n"),
		text("stacks/traefik/traefik.yaml", ""),
	}
	third = []File{
		program("runbook.sh", "three\n"),
		text("nfs/skep.exports", "three\n"),
		text("stacks/traefik/traefik.yaml", "three\n"),
	}
)

// foreign are files that a write must never touch.
var foreign = map[string]string{
	".git/config":              "git",
	"notes.txt":                "mine",
	"stacks/s3/override.yaml":  "mine",
	"stacks/traefik/.skep-tmp": "mine",
}

// lay writes files without skep's help.
func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for path, data := range files {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// tree is all that is below dir: a line of mode and content for each file, a mode for each directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		all[rel] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			all[rel] += " " + string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same reports each path at which two trees differ.
func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for path := range want {
		if got[path] != want[path] {
			t.Errorf("%s: got %q, want %q", path, got[path], want[path])
		}
	}
	for path := range got {
		if want[path] == "" {
			t.Errorf("%s: got %q, want nothing there", path, got[path])
		}
	}
}

// mustWrite writes and checks that nothing is left to do.
func mustWrite(t *testing.T, dir string, files []File) Report {
	t.Helper()
	report, err := Write(dir, files)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := Diff(dir, files)
	if rest = slices.DeleteFunc(rest, func(d Difference) bool { return foreign[d.Path] != "" }); err != nil || len(rest) > 0 {
		t.Fatalf("after the write: %v %v", rest, err)
	}
	return report
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "bundle")
	mustWrite(t, dir, before)
	want := map[string]string{
		"README.md": "-rw-r--r-- same\n", "runbook.sh": "-rwxr-xr-x one\n", "images.txt": "-rw-r--r-- mode\n",
		"nfs": "drwxr-xr-x", "nfs/skep.exports": "-rw-r--r-- stale\n",
		"stacks": "drwxr-xr-x", "stacks/s3": "drwxr-xr-x", "stacks/s3/compose.yaml": "-rw-r--r-- stale\n",
		"stacks/traefik": "drwxr-xr-x", "stacks/traefik/compose.yaml": "-rw-r--r-- one\n",
		"MANIFEST": "-rw-r--r-- " + string(Manifest(before).Data),
	}
	same(t, tree(t, dir), want)
	sha := exec.Command(tool(t, "sha256sum"), "--check", "--strict", "--quiet", ManifestName)
	sha.Dir = dir
	if out, err := sha.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}

	lay(t, dir, foreign)
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, path := range []string{"README.md", "images.txt", "runbook.sh"} {
		if err := os.Chtimes(filepath.Join(dir, path), long, long); err != nil {
			t.Fatal(err)
		}
	}
	report := mustWrite(t, dir, after)
	if got, want := fmt.Sprint(report.Differences), "[{MANIFEST changed } {firewall/deep/manager.nft added } "+
		"{images.txt mode want -rwxr-xr-x} {nfs/skep.exports removed } {runbook.sh changed } {stacks/s3/compose.yaml removed } "+
		"{stacks/traefik/compose.yaml changed } {stacks/traefik/traefik.yaml added }]"; got != want {
		t.Errorf("report %s\nwant %s", got, want)
	}
	got := tree(t, dir)
	for path, data := range foreign {
		if got[path] != "-rw-r--r-- "+data {
			t.Errorf("foreign %s: %q", path, got[path])
		}
	}
	if got["nfs"] != "" || got["stacks/s3"] == "" {
		t.Error("want nfs/ gone, which was emptied, and stacks/s3/ kept, which holds a foreign file")
	}
	for path, kept := range map[string]bool{"README.md": true, "images.txt": true, "runbook.sh": false} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.ModTime().Equal(long) != kept {
			t.Errorf("%s: time of change kept: %v, want %v", path, !kept, kept)
		}
	}
	if report := mustWrite(t, dir, after); len(report.Differences) > 0 {
		t.Errorf("a second write found %v", report.Differences)
	}
}

func TestUmask(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	mustWrite(t, dir, before)
	for path, mode := range map[string]fs.FileMode{"runbook.sh": 0o700, "README.md": 0o664, "images.txt": 0o600} {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Diff(dir, before); err != nil || len(got) > 0 {
		t.Errorf("modes that a git checkout gives under another umask: %v %v", got, err)
	}
	if err := os.Chmod(filepath.Join(dir, "README.md"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := Diff(dir, before); err != nil || len(got) != 1 || got[0].Kind != Mode {
		t.Errorf("a file that anyone may write: %v %v", got, err)
	}
}

// A generator that breaks its promises is told before anything is on disk.
func TestBadFiles(t *testing.T) {
	for _, tt := range []struct {
		files []File
		want  string
	}{
		{nil, "bundle: no file to write"},
		{[]File{text("../x", "")}, `bundle: "../x": want a path inside the bundle`},
		{[]File{text("/etc/passwd", "")}, `bundle: "/etc/passwd": want a path inside the bundle`},
		{[]File{text("a//b", "")}, `bundle: "a//b": want a path inside the bundle`},
		{[]File{text("", "")}, `bundle: "": want a path inside the bundle`},
		{[]File{text(".", "")}, `bundle: ".": want a path inside the bundle`},
		{[]File{text("a\nb", "")}, `bundle: "a\nb": want a path that sha256sum can read back`},
		{[]File{text(`a\b`, "")}, `bundle: "a\\b": want a path that sha256sum can read back`},
		{[]File{text("MANIFEST", "")}, `bundle: "MANIFEST": kept for skep itself`},
		{[]File{text(".skep-build/journal", "")}, `bundle: ".skep-build/journal": kept for skep itself`},
		{[]File{text("a", ""), text("a", "")}, "bundle: a: generated twice"},
		{[]File{text("a", ""), text("a/b", "")}, "bundle: a: generated as a file and as a directory"},
		{[]File{{Path: "a", Mode: 0o600}}, "bundle: a: mode -rw-------: want 0644 or 0755"},
	} {
		dir := filepath.Join(t.TempDir(), "bundle")
		if _, err := Write(dir, tt.files); err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the directory was made", tt.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	sum := strings.Repeat("0", 64)
	for _, tt := range []struct {
		name string
		mess func(dir string) error // made of the bundle before
		want string
	}{
		{"edited", func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/runbook.sh", []byte("edit"), 0o755), os.WriteFile(dir+"/nfs/skep.exports", nil, 0o644))
		}, "DIR/nfs/skep.exports: no longer wanted, edited since skep wrote it\nDIR/runbook.sh: edited since skep wrote it"},
		{"foreign file", func(dir string) error {
			return errors.Join(os.MkdirAll(dir+"/firewall/deep", 0o755), os.WriteFile(dir+"/firewall/deep/manager.nft", nil, 0o644))
		}, "DIR/firewall/deep/manager.nft: not written by skep, and in the way"},
		{"file for a directory", func(dir string) error { return os.WriteFile(dir+"/firewall", nil, 0o644) },
			"DIR/firewall: a file, not written by skep, and in the way"},
		{"directory for a file", func(dir string) error { return os.Mkdir(dir+"/stacks/traefik/traefik.yaml", 0o755) },
			"DIR/stacks/traefik/traefik.yaml: a directory, not written by skep, and in the way"},
		{"link for a directory", func(dir string) error { return os.Symlink(filepath.Dir(dir), dir+"/firewall") },
			"DIR/firewall: a symbolic link, not written by skep, and in the way"},
		{"link for a file", func(dir string) error {
			return errors.Join(os.Remove(dir+"/runbook.sh"), os.Symlink("README.md", dir+"/runbook.sh"))
		}, "DIR/runbook.sh: a symbolic link, not written by skep, and in the way"},
		{"no MANIFEST", func(dir string) error { return os.Remove(dir + "/MANIFEST") },
			"DIR: not empty, and without a MANIFEST: not a bundle of skep\n" +
				"DIR/runbook.sh: not written by skep, and in the way\nDIR/stacks/traefik/compose.yaml: not written by skep, and in the way"},
		{"empty MANIFEST", func(dir string) error { return os.WriteFile(dir+"/MANIFEST", nil, 0o644) },
			"DIR/MANIFEST: is empty\nDIR/runbook.sh: not written by skep, and in the way\n" +
				"DIR/stacks/traefik/compose.yaml: not written by skep, and in the way"},
		{"MANIFEST that leads out", func(dir string) error {
			return os.WriteFile(dir+"/MANIFEST", []byte(sum+"  ../victim\n"), 0o644)
		}, "DIR/MANIFEST: line 1: want a sha256 digest, two spaces and a path inside the bundle\n" +
			"DIR/runbook.sh: not written by skep, and in the way\nDIR/stacks/traefik/compose.yaml: not written by skep, and in the way"},
		{"work directory is a file", func(dir string) error { return os.WriteFile(dir+"/.skep-build", nil, 0o644) },
			"DIR/.skep-build: a file, not written by skep, and in the way"},
		{"journal that leads out", func(dir string) error {
			return errors.Join(os.Mkdir(dir+"/.skep-build", 0o755), os.WriteFile(dir+"/.skep-build/journal", []byte(sum+"  /etc/passwd\n"), 0o644))
		}, "DIR/.skep-build/journal: line 1: want a sha256 digest, two spaces and a path inside the bundle, edited since skep wrote it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "bundle")
			lay(t, parent, map[string]string{"victim": "alive"})
			mustWrite(t, dir, before)
			lay(t, dir, map[string]string{"notes.txt": "mine"})
			if err := tt.mess(dir); err != nil {
				t.Fatal(err)
			}
			was := tree(t, parent)
			_, err := Write(dir, after)
			if err == nil {
				t.Fatal("no refusal")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "DIR"); !errors.As(err, new(Refusal)) || got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			same(t, tree(t, parent), was)
			if diff, err := Diff(dir, after); err != nil || len(diff) == 0 {
				t.Errorf("diff %v %v: want differences", diff, err)
			}
		})
	}
}

// Two branches changed the spec, and git merged their bundles.
func TestOverwriteConflict(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	mustWrite(t, dir, before)
	torn := "<<<<<<< ours\n" + string(Manifest(before).Data) + "=======\n" + string(Manifest(third).Data) + ">>>>>>> theirs\n"
	lay(t, dir, map[string]string{"MANIFEST": torn, "runbook.sh": "<<<<<<< ours\none\n=======\nthree\n>>>>>>> theirs\n"})
	if _, err := Write(dir, after); !errors.As(err, new(Refusal)) {
		t.Errorf("got %v, want a refusal", err)
	}
	if _, err := Overwrite(dir, after); err != nil {
		t.Error(err)
	}
	same(t, tree(t, dir), whole(t, after, nil))
}

// What MANIFEST and journal say is believed only below the bundle's root, even when edits are given up.
func TestOverwrite(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "bundle")
	mustWrite(t, dir, before)
	lay(t, dir, map[string]string{"runbook.sh": "edit", "nfs/skep.exports": "edit", "notes.txt": "mine"})
	if _, err := Overwrite(dir, after); err != nil {
		t.Fatal(err)
	}
	if rest, err := Diff(dir, after); err != nil || len(rest) > 0 {
		t.Errorf("after the write: %v %v", rest, err)
	}
	lay(t, parent, map[string]string{"victim": "alive"})
	lay(t, dir, map[string]string{"MANIFEST": strings.Repeat("0", 64) + "  ../victim\n"})
	if _, err := Overwrite(dir, after); err != nil {
		t.Fatal(err)
	}
	lay(t, dir, map[string]string{"MANIFEST": strings.Repeat("0", 64) + "  notes.txt\n"})
	if _, err := Write(dir, after); err == nil {
		t.Error("a foreign file that MANIFEST claims, with another digest, was deleted")
	}
	got := tree(t, parent)
	if got["victim"] != "-rw-r--r-- alive" || got["bundle/notes.txt"] != "-rw-r--r-- mine" {
		t.Errorf("touched: %q", got)
	}
}

func TestDirectory(t *testing.T) {
	parent := t.TempDir()
	lay(t, parent, map[string]string{"file": "alive", "elsewhere/bundle/keep": "alive"})
	file := filepath.Join(parent, "file")
	for _, err := range []error{second(Write(file, after)), second(Diff(file, after))} {
		if !errors.As(err, new(Refusal)) || err.Error() != file+": is a file; want a directory" {
			t.Errorf("got %v", err)
		}
	}
	if _, err := Write(filepath.Join(file, "bundle"), after); err == nil || errors.As(err, new(Refusal)) {
		t.Errorf("below a file: %v", err)
	}
	link := filepath.Join(parent, "link")
	if err := errors.Join(os.Mkdir(filepath.Join(parent, "real"), 0o755), os.Symlink("real", link)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, link, after) // the operator named the link, so it is followed
	if diff, err := Diff(filepath.Join(parent, "real"), after); err != nil || len(diff) > 0 {
		t.Errorf("through a link: %v %v", diff, err)
	}
}

func second[T any](_ T, err error) error { return err }
