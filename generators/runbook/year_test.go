package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A year passes: a routine run leaves the pair that a client has, and says at its end whom to give the next one, until
// that is done. It is no failure, and status and verify say it too.
func TestHandOver(t *testing.T) {
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
