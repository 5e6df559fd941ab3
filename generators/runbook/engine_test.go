package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Versions are compared by their numbers; the upper bound is outside.
func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"20.10": true, "20.10.24": true, "20.10.0.1": true, "28.9": true, "28.10.3": true, "020.10": true,
		"": false, "v": false, "20.9.99": false, "29": false, "29.0": false, "29.0.0": false, "100.1": false, "29.1": false,
	} {
		out, err := shell(t, "version_between '"+version+"' 20.10 29.0 && echo yes || echo no\n")
		if got := strings.TrimSpace(out); err != nil || got != map[bool]string{true: "yes", false: "no"}[want] {
			t.Errorf("%q is between 20.10 and 29.0: %s, %v", version, got, err)
		}
	}
}

// An engine outside engine.versions is refused before anything is installed; one within is installed, and held until undo.
func TestLongEnginePackage(t *testing.T) {
	s := newSandbox(t, target(t))
	s.remove("node/dockerd")
	s.write("candidate", "1:19.03.13+dfsg1-2")
	for _, args := range [][]string{{"run", "--dry-run"}, {"run", "--yes"}} {
		r := s.want(1, append(args, "--to", "packages")...)
		if !strings.Contains(r.stdout, "apt would install docker.io 19.03.13, which is outside engine.versions: 20.10 up to, not with, 30.0\n") || !strings.Contains(r.stdout, `engine.source: "present"`) {
			t.Errorf("%v:\n%s", args, r.stdout)
		}
	}
	if calls := s.calls(); strings.Contains(calls, "apt-get") || strings.Contains(calls, " hold ") {
		t.Errorf("something was installed:\n%s", calls)
	}

	s.write("candidate", "26.1.5+dfsg1-9+b9")
	s.want(0, "run", "--yes", "--only", "packages", "--parallel", "1")
	held := filepath.Join(s.fake, "hosts/10.0.0.11/held")
	if _, err := os.Stat(held); err != nil || !strings.Contains(s.calls(), "10.0.0.11 apt-get -q install --yes --no-install-recommends -o Dpkg::Lock::Timeout=120 docker.io") {
		t.Errorf("%v\n%s", err, s.calls())
	}
	if r := s.want(0, "run", "--only", "packages"); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	// An engine that was there before is held as well, one that the operator holds is not let go.
	must(t, os.Remove(held))
	if r := s.want(0, "run", "--dry-run", "--only", "packages"); !strings.Contains(r.stdout, "would hold docker.io") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	for _, own := range []bool{true, false} {
		s.want(0, "run", "--only", "packages")
		if own {
			must(t, os.Remove(filepath.Join(s.fake, "hosts/10.0.0.11/var/lib/skep/held")))
		}
		s.want(0, "undo", "--yes", "--only", "packages")
		if _, err := os.Stat(held); (err == nil) != own {
			t.Errorf("held after undo: %v, want %v", err == nil, own)
		}
		if own {
			must(t, os.Remove(held))
		}
	}
}

// Where the operator installs the engine, the runbook does not; snap's cannot be set up.
func TestLongEnginePresent(t *testing.T) {
	c := load(t, "production")
	s := newSandbox(t, c)
	s.remove("node/dockerd")
	r := s.want(1, "run", "--yes", "--host", "w1", "--only", "preflight")
	if !strings.Contains(r.stdout, `no Docker engine, and engine.source is "present"`) {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if r = s.want(0, "run", "--dry-run", "--host", "w1", "--only", "packages"); strings.Contains(r.stdout, "docker") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// Engines are restarted one after the other: workers, managers, the leader last; the next one waits until the last one is
// Ready and Reachable, and when it is not, the step ends there.
func TestLongRollingOrder(t *testing.T) {
	c := load(t, "production")
	s := newSandbox(t, c)
	must(t, os.MkdirAll(s.bundle+".state/secrets", 0o700))
	for _, secret := range []string{"smtp-password", "watchdog-url"} {
		must(t, os.WriteFile(s.bundle+".state/secrets/"+secret, []byte("x"), 0o600))
	}
	must(t, os.Symlink("/bin/true", filepath.Join(s.fake, "bin/sleep"))) // of the operator
	address := func(name string) string { return c.Node(name).Public.String() }
	s.want(0, "run", "--yes", "--to", "workers")
	restarts := func(since int) []string {
		var out []string
		for line := range strings.Lines(s.calls()[since:]) {
			if strings.HasSuffix(line, " systemctl restart docker.service\n") {
				address, _, _ := strings.Cut(line, " ")
				out = append(out, address)
			}
		}
		return out
	}
	for _, test := range [][2]string{{"m1", "w1 w2 m2 m3 m1"}, {"m3", "w1 w2 m1 m2 m3"}} {
		leader, want := test[0], test[1]
		c.Engine.Logs.Files++
		s.build(c)
		s.write("leader", address(leader))
		since := len(s.calls())
		s.want(0, "run", "--yes", "--only", "engine")
		got := strings.Join(restarts(since), " ")
		for _, n := range c.Nodes {
			got = strings.ReplaceAll(got, n.Public.String(), n.Name)
		}
		if got != want {
			t.Errorf("%s leads: restarts %s, want %s", leader, got, want)
		}
	}
	c.Engine.Logs.Files++
	s.build(c)
	s.write("reachability", "unreachable")
	since := len(s.calls())
	r := s.want(1, "run", "--yes", "--only", "engine")
	if got := restarts(since); len(got) != 3 || !strings.Contains(r.stdout, "m1 is not Ready and Reachable: m2 sees it ready unreachable") {
		t.Errorf("restarts %v\n%s", got, r.stdout)
	}
}

// The engine of snap is another program with other files.
func TestSnap(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	must(t, os.MkdirAll(filepath.Join(s.fake, "hosts/10.0.0.12/var/lib/snapd/snaps"), 0o755))
	s.write("hosts/10.0.0.12/var/lib/snapd/snaps/docker_2963.snap", "")
	contains(t, s.want(1, "run", "--only", "preflight", "--host", "w1").stdout, "Docker is the one of snap, which cannot be set up", "snap remove docker")
}

// What is known of an engine stops the first run of its node, or is told, with the way out; a distribution looks after its own.
func TestLongEngineKnown(t *testing.T) {
	s := newSandbox(t, load(t, "production"))
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	node := "hosts/198.51.100.21/"
	for version, want := range map[string]string{
		"28.2.2": "engine 28.2.2 loses names and routes of overlays (moby#50129)\n                                upgrade it to 28.3 or later\n",
		"28.5.1": "note: engine 28.5.1 gets no security fixes from its makers (as of 2026-11): upgrade to 29",
		"29.4.0": "note: engine 29.4.0 may resolve no service for hours",
		"29.8.1": "",
	} {
		s.write(node+"version", version)
		r := s.run("run", "--only", "preflight", "--host", "w1")
		if !strings.Contains(r.stdout, want) || strings.Contains(want, "loses") != (r.code == 1) || want == "" && strings.Contains(r.stdout, "note:") {
			t.Errorf("engine %s: exit %d\n%s", version, r.code, r.stdout)
		}
	}
	// Some get on with nobody but their own kind.
	args := []string{"run", "--only", "preflight", "--host", "m1", "--host", "m2", "--host", "w1"}
	s.remove(node + "version")
	s.want(0, args...)
	for address, version := range map[string]string{"198.51.100.21": "29.1.0", "198.51.100.12": "29.1.0", "198.51.100.11": "29.8.1"} {
		s.write("hosts/"+address+"/version", version)
	}
	contains(t, s.want(1, args...).stdout, "engines 29.1.0 (m2 w1) beside 29.8.1 (m1) talk about encrypted overlays in another way", "upgrade them to 29.2.1 or later")
	s.write("hosts/198.51.100.11/version", "29.1.0")
	s.want(0, args...)

	s.write(node+"version", "28.5.1")
	s.write(node+"docker.io", "")
	if r := s.want(0, "run", "--only", "preflight", "--host", "w1"); strings.Contains(r.stdout, "note:") {
		t.Errorf("a distribution's engine:\n%s", r.stdout)
	}
}
