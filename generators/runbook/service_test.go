package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What would make a poor node stops the first run, and is a note of every later one: it may be the one that closes a
// hole. It is said in its place, and once at the end.
func TestLongFirstRunOnly(t *testing.T) {
	s := newSandbox(t, target(t))
	spoil := func() {
		t.Helper()
		for _, address := range []string{"10.0.0.12", "10.0.0.13"} {
			must(t, os.WriteFile(filepath.Join(s.fake, "hosts", address, "full"), nil, 0o644))
		}
		must(t, os.WriteFile(filepath.Join(s.fake, "hosts/10.0.0.11/taken"), []byte("sport = :443"), 0o644))
	}
	s.want(0, "run", "--only", "preflight")
	spoil()
	r := s.want(1, "run", "--yes")
	for _, text := range []string{"MiB free: want 4096 MiB", "port 443/tcp is taken by apache2"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("the first run lacks %q:\n%s", text, r.stdout)
		}
	}
	for _, address := range []string{"10.0.0.12/full", "10.0.0.13/full", "10.0.0.11/taken"} {
		s.remove("hosts/" + address)
	}
	s.want(0, "run", "--yes", "--to", "engine")

	spoil()
	preflight := []string{"--only", "preflight", "--only", "firewall"}
	for _, args := range [][]string{append([]string{"run"}, preflight...), append([]string{"verify"}, preflight...), append([]string{"run", "--dry-run"}, preflight...)} {
		r = s.want(0, args...)
		want := []string{"   w1 w2          NOTE          /var/lib has 1 MiB free", "   m1             NOTE          port 443/tcp is taken by apache2"}
		if args[0] == "run" && args[1] != "--dry-run" {
			want = append(want, "   m1             ALREADY_DONE  note: port 443/tcp is taken by apache2", "   w1             ALREADY_DONE  note: /var/lib has 1 MiB free")
		}
		for _, text := range want {
			if got := strings.Count(r.stdout, text); got != 1 {
				t.Errorf("%v: %q stands there %d times, want once:\n%s", args, text, got, r.stdout)
			}
		}
	}
	r = s.want(0, "run", "--only", "preflight", "--json")
	if !strings.Contains(r.stdout, `{"step":"preflight","host":"w2","status":"NOTE","text":"`) {
		t.Errorf("json:\n%s", r.stdout)
	}

	// What the runbook could not work with, or against, stops every run.
	s.write("elsewhere", "10.0.0.12")
	if r = s.want(1, "run", "--only", "preflight"); !strings.Contains(r.stdout, "10.0.0.12 is not an address of this node") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// The step operator tells all tools that are missing at once, with the packages; without ssh nothing is begun.
func TestOperatorTools(t *testing.T) {
	s := newSandbox(t, target(t))
	bin := t.TempDir()
	for _, tool := range []string{
		"base64", "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "find", "flock", "grep", "gzip", "head", "mkdir", "mktemp", "mv", "realpath", "rm", "sed",
		"sha256sum", "sort", "stat", "tail", "tar", "tee", "tr", "wc",
	} {
		must(t, os.Symlink("/usr/bin/"+tool, filepath.Join(bin, tool)))
	}
	s.path = bin
	for _, args := range [][]string{{"run", "--dry-run"}, {"run", "--yes"}} {
		r := s.want(1, args...)
		for _, text := range []string{"not found on this machine: awk cmp openssl ssh", "apt-get install mawk diffutils openssl openssh-client"} {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("%v lacks %q:\n%s", args, text, r.stdout)
			}
		}
	}
	for _, tool := range []string{"awk", "cmp", "openssl"} {
		must(t, os.Symlink("/usr/bin/"+tool, filepath.Join(bin, tool)))
	}
	must(t, os.Symlink("/bin/true", filepath.Join(bin, "ssh")))
	must(t, os.Remove(filepath.Join(bin, "stat")))
	must(t, os.WriteFile(filepath.Join(bin, "stat"), []byte("#!/usr/bin/bash\necho usage: stat -f format >&2\nexit 1\n"), 0o755))
	if r := s.want(1, "run", "--only", "operator"); !strings.Contains(r.stdout, "stat on this machine is not GNU's") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	s.env = []string{"OSTYPE=darwin23"}
	if r := s.want(2, "list"); !strings.Contains(r.stderr, "darwin23: want Linux") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
}

// An engine that the settings were not made for is left alone: it may not start with them. One that has settings from before
// keeps running.
func TestLongEngineOutsideRange(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--yes", "--to", "firewall", "--host", "w1", "--host", "operator")
	engine := []string{"run", "--yes", "--only", "engine", "--host", "w1"}
	s.write("hosts/10.0.0.12/version", "19.3.1")
	const text = "engine 19.3.1 is outside engine.versions: 20.10 up to, not with, 30.0, and may not start with these settings"
	if r := s.want(1, engine...); !strings.Contains(r.stdout, text) {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if _, err := os.Stat(filepath.Join(s.fake, "hosts/10.0.0.12/etc/docker/daemon.json")); err == nil {
		t.Error("its settings were written")
	}
	s.remove("hosts/10.0.0.12/version")
	s.want(0, engine...)
	s.write("hosts/10.0.0.12/version", "31.0")
	s.want(0, engine...)
}

// When the engine does not start with new settings, it gets those back that it had.
func TestLongEngineFallsBack(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--yes", "--to", "engine", "--host", "w1", "--host", "operator")
	path := filepath.Join(s.fake, "hosts/10.0.0.12/etc/docker/daemon.json")
	had, err := os.ReadFile(path)
	must(t, err)
	s.write("hosts/10.0.0.12/fails", "20m")
	c := target(t)
	c.Engine.Logs.Size = "20m"
	s.build(c)
	engine := []string{"run", "--yes", "--only", "engine", "--host", "w1"}
	if r := s.want(1, engine...); !strings.Contains(r.stdout, "does not start with its new settings; it runs with the settings that it had") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	now, err := os.ReadFile(path)
	must(t, err)
	if string(now) != string(had) {
		t.Errorf("daemon.json is not what it was:\n%s", now)
	}
	if _, err := os.Stat(filepath.Join(s.fake, "hosts/10.0.0.12/units/docker.service")); err != nil {
		t.Error("the engine is down")
	}
	// A run that was killed before it started the engine has left the new settings there.
	must(t, os.WriteFile(path, []byte(strings.Replace(string(had), `"10m"`, `"20m"`, 1)), 0o644))
	s.want(1, engine...)
	if now, err = os.ReadFile(path); err != nil || string(now) != string(had) {
		t.Errorf("after a run that was killed, daemon.json is not what it was: %v\n%s", err, now)
	}
	s.remove("hosts/10.0.0.12/fails")
	s.want(0, engine...)
}
