package runbook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every verb of a bundle that is not the one that skep built refuses, before it reads, runs or sends anything of it.
func TestOnlyWhatManifestLists(t *testing.T) {
	s := newSandbox(t, target(t))
	mark := filepath.Join(t.TempDir(), "ran")
	touch := "touch " + mark + "\n"
	at := func(name string) string { return filepath.Join(s.bundle, name) }
	write := func(name, text string) func() {
		return func() {
			must(t, os.MkdirAll(filepath.Dir(at(name)), 0o755))
			must(t, os.WriteFile(at(name), []byte(text), 0o644))
		}
	}
	manifest := func(line string) func() {
		return func() {
			b, err := os.ReadFile(at("MANIFEST"))
			must(t, err)
			must(t, os.WriteFile(at("MANIFEST"), append([]byte(line), b...), 0o644))
		}
	}
	link := func(name, to string) func() {
		return func() {
			if to == "" {
				to = filepath.Join(t.TempDir(), "moved")
				must(t, os.Rename(at(name), to))
			}
			must(t, os.Symlink(to, at(name)))
		}
	}
	digest := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		spoil func()
		want  string
	}{
		"another step":        {write("runbook/steps/x.sh", touch), "runbook/steps/x.sh: not written by skep; move it out of the bundle"},
		"another part":        {write("runbook/lib.sh~", touch), "runbook/lib.sh~: not written by skep"},
		"a hidden file":       {write("stacks/traefik/.env", "A=1\n"), "stacks/traefik/.env: not written by skep"},
		"another stack":       {write("stacks/mine/compose.yaml", "services: {}\n"), "stacks/mine/compose.yaml: not written by skep"},
		"a file that steers":  {write("nfs/\x1b]0;owned\a\n\x9b2J", ""), "nfs/?]0;owned??2J: not written by skep"},
		"a link beside":       {link("certs/more", "/etc/passwd"), "certs/more: not written by skep"},
		"a link in place":     {link("nfs/skep.exports", ""), "nfs/skep.exports: is not a regular file"},
		"a link as folder":    {link("nfs", ""), "nfs: is not a regular file"},
		"a link as MANIFEST":  {link("MANIFEST", ""), "MANIFEST: no such file"},
		"an edited step":      {write("runbook/steps/preflight.sh", touch), "runbook/steps/preflight.sh: differs from MANIFEST"},
		"an edited table":     {write("runbook/cluster.sh", touch), "runbook/cluster.sh: differs from MANIFEST"},
		"an edited library":   {write("runbook/lib.sh", touch), "runbook/lib.sh: differs from MANIFEST"},
		"an edited stack":     {write("stacks/traefik/compose.yaml", "services: {x: {}}\n"), "stacks/traefik/compose.yaml: differs from MANIFEST"},
		"a file is gone":      {func() { must(t, os.Remove(at("nfs/skep.exports"))) }, "nfs/skep.exports: is missing"},
		"open to everybody":   {func() { must(t, os.Chmod(at("runbook/lib.sh"), 0o666)) }, "runbook/lib.sh: is writable by everybody: chmod o-w"},
		"a folder is open":    {func() { must(t, os.Chmod(at("runbook"), 0o777)) }, "runbook: is writable by everybody: chmod o-w"},
		"no MANIFEST":         {func() { must(t, os.Remove(at("MANIFEST"))) }, "MANIFEST: no such file"},
		"an empty MANIFEST":   {write("MANIFEST", ""), "runbook.sh is not in MANIFEST"},
		"a path upwards":      {manifest(digest + "  ../passwd\n"), "MANIFEST:1: want a digest"},
		"a path from the top": {manifest(digest + "  /etc/passwd\n"), "MANIFEST:1: want a digest"},
		"a path in a circle":  {manifest(digest + "  runbook/../../passwd\n"), "MANIFEST:1: want a digest"},
		"a path twice":        {func() { manifest(digest + "  runbook.sh\n")() }, "want a digest"},
		"a comment":           {manifest("# hello\n"), "MANIFEST:1: want a digest"},
		"a command as path":   {manifest(digest + "  $(touch${IFS}" + mark + ")\n"), "MANIFEST:1: want a digest"},
		"a step named only":   {manifest(digest + "  runbook/steps/x.sh\n"), "runbook/steps/x.sh: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s.build(target(t))
			c.spoil()
			before := len(s.calls())
			verbs := [][]string{{"run", "--yes"}}
			if name == "another step" {
				verbs = append(verbs, []string{"list"}, []string{"plan"}, []string{"run", "--dry-run"}, []string{"status"}, []string{"verify"}, []string{"undo", "--yes"}, []string{"--help"})
			}
			for _, args := range verbs {
				r := s.want(3, args...)
				if !strings.Contains(r.stderr, "runbook: ") || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
					t.Errorf("%v: stderr lacks %q:\n%s%s", args, c.want, r.stderr, r.stdout)
				}
				if strings.ContainsAny(r.stderr, "\x1b\a\u009b") || !utf8.ValidString(r.stderr) {
					t.Errorf("%v: a file's name steers the terminal: %q", args, r.stderr)
				}
			}
			if calls := s.calls()[before:]; calls != "" {
				t.Errorf("a node was asked:\n%s", calls)
			}
			if _, err := os.Stat(mark); err == nil {
				t.Error("it was run")
			}
			must(t, os.RemoveAll(s.bundle))
		})
	}
}

// What lies beside skep's files and folders is nobody's business, and a private copy is not left behind.
func TestBesideTheBundle(t *testing.T) {
	s := newSandbox(t, target(t))
	for _, name := range []string{"notes.txt", ".gitignore", ".git/config", "runbook.sh~", "06-x.sh"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(s.bundle, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(s.bundle, name), []byte("exit 9\n"), 0o644))
	}
	tmp := t.TempDir()
	s.env = []string{"TMPDIR=" + tmp}
	s.want(0, "list")
	s.want(0, "run", "--dry-run")
	s.want(0, "run", "--only", "preflight")
	s.want(2, "run", "--only", "nothing")
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if r := s.want(3, "run", "--state", filepath.Join(s.bundle, "state")); !strings.Contains(r.stderr, "is inside the bundle") {
		t.Errorf("stderr: %s", r.stderr)
	}
}

// A file that is changed while the runbook is at work is not what a node gets: the runbook goes on with what it looked at.
func TestLongChangedMeanwhile(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight")
	mark := filepath.Join(t.TempDir(), "ran")
	script := "#!/usr/bin/env bash\nfor f in " + s.bundle + "/runbook/*.sh " + s.bundle + "/runbook/steps/*.sh " + s.bundle + "/firewall/*; do echo 'touch " + mark + "' >\"$f\"; done\n" +
		"exec bash " + filepath.Join(filepath.Dir(mustAbs(t, "testdata/ssh.sh")), "ssh.sh") + " \"$@\"\n"
	ssh := filepath.Join(s.fake, "bin/ssh")
	must(t, os.Remove(ssh))
	must(t, os.WriteFile(ssh, []byte(script), 0o755))
	s.want(0, "run", "--yes", "--to", "firewall")
	if _, err := os.Stat(mark); err == nil {
		t.Error("what was written meanwhile was run")
	}
	out, err := exec.Command("grep", "-rl", mark, filepath.Join(s.fake, "hosts")).CombinedOutput()
	if err == nil {
		t.Errorf("what was written meanwhile was sent:\n%s", out)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	must(t, err)
	return abs
}
