package tls_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestGrowth gives a cluster a manager and a name: a rerun makes what is missing, and tells what is stale.
func TestGrowth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good(t, script(t, spec(1, "")), dir)
	before := tree(t, dir)

	grown := script(t, spec(2, "certificates: {names: [new.example.org]}\n"))
	r := run(t, nil, grown, dir)
	if r.code != 0 || r.stdout != "made servers/m2\n" {
		t.Errorf("exit %d, stdout %q", r.code, r.stdout)
	}
	if want := "servers/m1: differs from the spec: lacks new.example.org; renew it with: --renew DIR servers/m1\n"; !strings.HasSuffix(r.stderr, want) {
		t.Errorf("stderr %q, want %q", r.stderr, want)
	}
	wantChanged(t, before, tree(t, dir), "servers/m2")
	bad(t, 1, "servers/m1: differs from the spec: lacks new.example.org", grown, "--check", dir)

	before = tree(t, dir)
	if out := good(t, grown, "--renew", dir); out != "renewed servers/m1\n" {
		t.Errorf("renewed %q", out)
	}
	wantChanged(t, before, tree(t, dir), "servers/m1")
	good(t, grown, "--check", dir)

	shrunk := script(t, spec(1, ""))
	bad(t, 0, "servers/m2: is not in the spec", shrunk, "--renew", dir)
	bad(t, 0, "servers/m2: is not in the spec", shrunk, "--check", dir)
}

// TestRenewal renews one pair, then all. Keys are new each time; the authority stays, and so does what clients hold.
func TestRenewal(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, "services: {traefik: {certificate: {selfSigned: {}}}}\n"))
	dir := t.TempDir()
	good(t, s, dir)
	before := tree(t, dir)
	if out := good(t, s, "--renew", dir); out != "" {
		t.Errorf("nothing is due, yet: %s", out)
	}
	wantChanged(t, before, tree(t, dir))
	good(t, s, "--renew", dir, "clients/nuvla", "web")
	wantChanged(t, before, tree(t, dir), "clients/nuvla/next", "web")
	before = tree(t, dir)
	good(t, s, "--renew", dir, "all")
	after := tree(t, dir)
	wantChanged(t, before, after, "clients/operators/next", "servers/m1", "web")
	if before["servers/m1/server-key.pem"] == after["servers/m1/server-key.pem"] {
		t.Error("the key is the old one")
	}
	good(t, s, "--check", dir)
	bad(t, 2, "clients/nobody: no such pair", s, "--renew", dir, "clients/nobody")
}

// TestExpiry lets certificates of ten days, or a second less, meet a spec of a year.
func TestExpiry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good(t, script(t, spec(1, "certificates: {days: 10, clients: []}\n")), dir)
	year := script(t, spec(1, "certificates: {clients: []}\n"))
	bad(t, 1, "servers/m1: expires in ", year, "--check", dir)
	bad(t, 0, "servers/m1: expires in ", year, dir)
	good(t, year, "--renew", dir)
	good(t, year, "--check", dir)
}

// TestFindings damages a directory in every way that --check knows, and wants one line for each. What a plain run or
// --renew can mend is mended.
func TestFindings(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, ""))
	foreign, sound := t.TempDir(), filepath.Join(t.TempDir(), "sound")
	good(t, s, foreign)
	good(t, s, sound)
	at := func(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for want, damage := range map[string]func(dir string) error{
		"clients/nuvla: is missing":     func(dir string) error { return os.RemoveAll(at(dir, "clients/nuvla")) },
		"clients/operators: is missing": func(dir string) error { return os.Remove(at(dir, "clients/operators/cert.pem")) },
		"servers/m1: key and certificate do not belong together": func(dir string) error {
			return copyFile(at(foreign, "servers/m1/server-key.pem"), at(dir, "servers/m1/server-key.pem"))
		},
		"servers/m1: ca.pem is another":                func(dir string) error { return copyFile(at(foreign, "ca.pem"), at(dir, "servers/m1/ca.pem")) },
		"servers/m1: server-key.pem has mode 644":      func(dir string) error { return os.Chmod(at(dir, "servers/m1/server-key.pem"), 0o644) },
		"clients/nuvla: directory has mode 755":        func(dir string) error { return os.Chmod(at(dir, "clients/nuvla"), 0o755) },
		"authority: key and certificate do not belong": func(dir string) error { return copyFile(at(foreign, "ca-key.pem"), at(dir, "ca-key.pem")) },
		"clients/nuvla: does not verify: ": func(dir string) error {
			return copyDir(at(foreign, "clients/nuvla"), at(dir, "clients/nuvla"), "cert.pem", "key.pem")
		},
		"clients/operators: does not verify: unsuitable certificate purpose": func(dir string) error { return swapPurpose(dir) },
	} {
		t.Run(want, func(t *testing.T) {
			dir := duplicate(t, sound)
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			bad(t, 1, want, s, "--check", dir)
			if strings.HasPrefix(want, "authority") {
				bad(t, 3, "ca-key.pem does not belong to ca.pem", s, "--renew", dir, "all")
				return
			}
			if r := run(t, nil, s, "--renew", dir); r.code != 0 {
				t.Fatalf("exit %d: %s", r.code, r.stderr)
			}
			if !strings.Contains(want, "has mode") {
				good(t, s, "--check", dir)
			}
		})
	}
}

// TestRefusals are the directories that the script leaves alone.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, ""))
	bundle := filepath.Dir(filepath.Dir(s))
	if err := os.WriteFile(filepath.Join(bundle, "MANIFEST"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	bad(t, 3, "is inside the bundle", s, filepath.Join(bundle, "certs", "..", "keys"))
	bad(t, 3, "is inside the bundle", s, bundle)

	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "letter.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	bad(t, 3, "is not empty and holds no authority", s, home)
	if info, err := os.Stat(home); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the foreign directory changed: %v %v", info, err)
	}
	bad(t, 3, "is not a directory", s, filepath.Join(home, "letter.txt"))
	bad(t, 2, "want a directory", s)
	bad(t, 2, "--force: no such flag", s, "--force", home)
	bad(t, 2, "one directory is enough", s, home, home)
	bad(t, 1, "ca.pem: is missing", s, "--check", filepath.Join(home, "none"))

	dir := t.TempDir()
	good(t, s, dir)
	if err := os.Rename(filepath.Join(dir, "ca-key.pem"), filepath.Join(t.TempDir(), "offline.pem")); err != nil {
		t.Fatal(err)
	}
	good(t, s, dir)
	good(t, s, "--check", dir)
	bad(t, 3, "ca-key.pem is not in", s, "--renew", dir, "all")
	if err := os.Remove(filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	bad(t, 3, "", s, dir)
}

// TestGit wants keys in a work tree to be out of git's reach, and says so once.
func TestGit(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, ""))
	tree := t.TempDir()
	if err := os.Mkdir(filepath.Join(tree, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(tree, "keys")
	bad(t, 0, "keeps the keys out of commits", s, dir)
	good(t, s, dir)
	if b, err := os.ReadFile(filepath.Join(dir, ".gitignore")); err != nil || string(b) != "*\n" {
		t.Errorf(".gitignore: %q %v", b, err)
	}
}

// TestInterruption kills the script and all its children at each command that makes or moves a file, then runs it again.
func TestInterruption(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, "certificates: {clients: [nuvla]}\n"))
	sound := filepath.Join(t.TempDir(), "sound")
	good(t, s, sound)
	for name, start := range map[string]func() (string, []string){
		"first": func() (string, []string) {
			dir := t.TempDir()
			return dir, []string{dir}
		},
		"renewal": func() (string, []string) {
			dir := duplicate(t, sound)
			return dir, []string{"--renew", dir, "all"}
		},
		"hand over": func() (string, []string) {
			dir := duplicate(t, sound)
			good(t, s, "--renew", dir, "clients/nuvla")
			return dir, []string{"--handed-over", dir, "nuvla"}
		},
	} {
		point := 1
		for ; ; point++ {
			dir, args := start()
			r := run(t, []string{deadlyTools(t, point)}, s, args...)
			if r.code == 0 {
				break
			}
			if r.code != -1 {
				t.Fatalf("%s, point %d: exit %d: %s", name, point, r.code, r.stderr)
			}
			good(t, s, dir)
			good(t, s, "--check", dir)
			if _, err := os.Stat(filepath.Join(dir, ".work")); err == nil {
				t.Errorf("%s, point %d: .work is left", name, point)
			}
		}
		if least := map[string]int{"hand over": 4}[name]; point < max(least, 4) || least == 0 && point < 10 {
			t.Errorf("%s: killed at %d points only", name, point-1)
		}
	}
}

// duplicate returns a copy of a directory, modes included.
func duplicate(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.Command("cp", "-a", dir, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// deadlyTools returns a directory with an openssl and an mv that kill their process group at the given call.
func deadlyTools(t *testing.T, point int) string {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range []string{"openssl", "mv"} {
		stub := `#!/bin/sh
bin=` + bin + `
tool=` + tool + `
case "$tool $1 $2" in
"openssl genpkey "* | "openssl req "* | "openssl x509 -req" | "mv "*)
	echo . >>"$bin/calls"
	if [ "$(wc -l <"$bin/calls")" -eq ` + strconv.Itoa(point) + ` ]; then kill -KILL 0; fi
	;;
esac
PATH=${PATH#"$bin":} exec "$tool" "$@"
`
		if err := os.WriteFile(filepath.Join(bin, tool), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func wantChanged(t *testing.T, before, after map[string]string, want ...string) {
	t.Helper()
	got := slices.Sorted(maps.Keys(changed(before, after)))
	if !slices.Equal(got, want) {
		t.Errorf("changed %v, want %v", got, want)
	}
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

func copyDir(from, to string, names ...string) error {
	for _, name := range names {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// swapPurpose puts a server's pair where a client's belongs.
func swapPurpose(dir string) error {
	at, to := filepath.Join(dir, "servers", "m1"), filepath.Join(dir, "clients", "operators")
	if err := copyFile(filepath.Join(at, "server-cert.pem"), filepath.Join(to, "cert.pem")); err != nil {
		return err
	}
	return copyFile(filepath.Join(at, "server-key.pem"), filepath.Join(to, "key.pem"))
}
