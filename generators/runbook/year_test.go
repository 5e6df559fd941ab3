package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A year passes: a routine run leaves the pair that a client has, and says at its end whom to give the next one, until
// that is done. It is no failure, and status and verify say it too.
func TestLongHandOver(t *testing.T) {
	s := newSandbox(t, target(t))
	certificate := func() string { return s.state("certs/clients/nuvla/cert.pem") }
	told := func(days, want int, args ...string) {
		t.Helper()
		s.days = days
		r := s.want(0, append(args, "--only", "certificates")...)
		if got := strings.Count(r.stdout, "HAND OVER"); got != want {
			t.Errorf("day %d: %s tells %d pairs, want %d:\n%s", days, args[0], got, want, r.stdout)
		}
	}
	told(0, 2, "run")
	told(0, 0, "run")
	told(0, 0, "status")
	first := certificate()

	told(370, 2, "run")
	told(371, 2, "run")
	told(371, 2, "status")
	told(371, 2, "verify")
	if certificate() != first {
		t.Error("a routine run replaced the pair of a client")
	}
	next := s.state("certs/clients/nuvla/next/cert.pem")
	if next == first {
		t.Error("the next pair is the one that is in use")
	}

	out, err := command(s, "certs/generate-certificates.sh", "--handed-over", "nuvla")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	told(372, 1, "run")
	if certificate() != next {
		t.Error("the next pair is not in its place")
	}
	if _, err := os.Stat(filepath.Join(s.bundle + ".state/certs/clients/operators/next")); err != nil {
		t.Errorf("the other client lost its next pair: %v", err)
	}
}

// Without monitoring the runbook says what expires: by what it saw last, and what it could not see.
func TestLongExpires(t *testing.T) {
	c := target(t)
	drop(c, "monitoring")
	c.Services.Monitoring = nil
	s := settled(t, target(t))
	s.build(c)
	r := s.want(0, "run", "--yes")
	if strings.Contains(r.stdout, "EXPIRES") || strings.Contains(r.stdout, "UNMEASURED") {
		t.Errorf("a new cluster's certificates expire:\n%s", r.stdout)
	}
	has := func(r result, lines ...string) {
		t.Helper()
		text := strings.Join(strings.Fields(r.stdout), " ")
		for _, line := range lines {
			if !strings.Contains(text, line) {
				t.Errorf("%q is not said:\n%s", line, r.stdout)
			}
		}
	}
	// A recorded node's certificate is good for 90 days, and what is served for 60.
	s.days = 80
	has(s.want(0, "status"), "w1 EXPIRES swarm-node w1: 9 days left", "m1 EXPIRES web target.example.org: -20 days left")
	s.days = 390
	has(s.want(0, "status"), "operator EXPIRES docker-api-client nuvla: 6 days left", "m1 EXPIRES docker-api-server /etc/docker/tls/server-cert.pem: 6 days left")

	// A measure that is old is no measure, and what cannot be seen is said.
	s.days = 1
	has(s.want(1, "verify", "--only", "certificate-watch"), "would measure what expires")
	must(t, os.Remove(filepath.Join(s.fake, "hosts/10.0.0.12/var/lib/docker/swarm/certificates/swarm-node.crt")))
	has(s.want(0, "run", "--only", "certificate-watch"), "UNMEASURED swarm-node")
	has(s.want(0, "verify", "--only", "certificate-watch"), "UNMEASURED swarm-node")
}

// A state directory that was left behind is no reason to make a second authority: the run stops before anything is changed,
// unless somebody has made one on purpose.
func TestLongLostAuthority(t *testing.T) {
	s := settled(t, target(t))
	const certificate = "hosts/10.0.0.11/etc/docker/tls/server-cert.pem"
	read := func() string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(s.fake, certificate))
		must(t, err)
		return string(b)
	}
	before, state := read(), s.bundle+".state"
	must(t, os.Rename(state, state+".lost"))
	r := s.want(1, "run", "--yes")
	contains(t, r.stdout, "/etc/docker/tls/ca.pem is of an authority that is not in "+state+"/certs", "(or name its state directory with --state)")
	contains(t, r.stderr, "stopped at step server-certificates (25) on m1, before anything was changed")
	if _, err := os.Stat(state + "/certs"); err == nil || read() != before {
		t.Error("a second authority was made all the same")
	}
	r = s.want(1, "run", "--dry-run", "--only", "server-certificates")
	contains(t, r.stdout, "a second one would be made")
	s.want(0, "run", "--yes", "--only", "server-certificates", "--state", state+".lost")

	out, err := command(s, "certs/generate-certificates.sh", state+"/certs")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.want(0, "run", "--yes", "--only", "server-certificates")
	if read() == before {
		t.Error("the new authority did not arrive")
	}
}

// A pipeline that looks at night: the exit code of a dry run says whether a run would change something, and verify ends with
// a count.
func TestLongDrift(t *testing.T) {
	s := settled(t, target(t))
	s.want(0, "run", "--dry-run", "--detailed-exitcode")
	summary := func(r result) string {
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		return lines[len(lines)-1]
	}
	good := summary(s.want(0, "verify", "--json"))
	if !strings.HasSuffix(good, `,"drift":0,"unknown":0}`) || strings.Contains(good, `"ok":0,`) {
		t.Errorf("verify ends with %s", good)
	}
	must(t, os.Remove(filepath.Join(s.fake, "hosts/10.0.0.12/etc/docker/daemon.json")))
	s.want(5, "run", "--dry-run", "--detailed-exitcode")
	s.want(0, "run", "--dry-run")
	if got := summary(s.want(1, "verify", "--json")); !strings.Contains(got, `"drift":1,"unknown":0}`) {
		t.Errorf("verify ends with %s", got)
	}
	s.want(2, "run", "--detailed-exitcode")
}
