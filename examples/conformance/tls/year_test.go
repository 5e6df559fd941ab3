package tls_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
)

// later runs the script on a machine whose clock is days ahead.
func later(t *testing.T, days int, script string, args ...string) result {
	t.Helper()
	faketime := judge.Tool(t, "faketime", "faketime")
	return run(t, nil, faketime, append([]string{"-f", "+" + strconv.Itoa(days) + "d", script}, args...)...)
}

// routine does what the step certificates of the runbook does on any day, and wants it to end well.
func routine(t *testing.T, days int, script, dir string) string {
	t.Helper()
	r := later(t, days, script, dir)
	if r.code != 0 {
		t.Fatalf("day %d: exit %d: %s", days, r.code, r.stderr)
	}
	if r := later(t, days, script, "--check", dir); r.code == 0 {
		return r.stdout
	}
	if r := later(t, days, script, "--renew", dir); r.code != 0 {
		t.Fatalf("day %d: --renew: exit %d: %s", days, r.code, r.stderr)
	}
	r = later(t, days, script, "--check", dir)
	if r.code != 0 {
		t.Fatalf("day %d: --check: exit %d: %s", days, r.code, r.stderr)
	}
	return r.stdout
}

// TestYear lets a year pass. What clients hold stays as it is, works, and is not forgotten; servers are renewed.
func TestYear(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, ""))
	dir := t.TempDir()
	routine(t, 0, s, dir)
	if out := good(t, s, "--hand-over", dir); strings.Count(out, "its first pair. Give") != 2 {
		t.Errorf("the first pairs are not told:\n%s", out)
	}
	before := tree(t, dir)
	held := pair(t, dir, "clients/nuvla/cert.pem", "clients/nuvla/key.pem")

	if out := routine(t, 370, s, dir); strings.Count(out, "HAND OVER, 26 days left") != 2 {
		t.Errorf("--check on day 370:\n%s", out)
	}
	wantChanged(t, before, tree(t, dir), "clients/nuvla/next", "clients/operators/next", "servers/m1")
	laid := tree(t, dir)
	for _, day := range []int{371, 380, 396, 400} {
		routine(t, day, s, dir)
		wantChanged(t, laid, tree(t, dir))
		out := later(t, day, s, "--hand-over", dir).stdout
		if !strings.Contains(out, "clients/nuvla: the pair in use expire") || !strings.Contains(out, "--handed-over "+dir+" nuvla\n") {
			t.Errorf("day %d: the hand over is not told:\n%s", day, out)
		}
	}
	next := pair(t, dir, "clients/nuvla/next/cert.pem", "clients/nuvla/next/key.pem")
	knock(t, dir, 380, held, next)

	for range 2 { // the second time says that it is done
		if r := later(t, 380, s, "--handed-over", dir, "nuvla"); r.code != 0 || r.stderr != "" {
			t.Fatalf("--handed-over: exit %d: %s", r.code, r.stderr)
		}
	}
	if now := pair(t, dir, "clients/nuvla/cert.pem", "clients/nuvla/key.pem"); string(now.Certificate[0]) != string(next.Certificate[0]) {
		t.Error("the next pair is not in its place")
	}
	if _, err := os.Stat(filepath.Join(dir, "clients/nuvla/next")); !os.IsNotExist(err) {
		t.Errorf("the next pair is still laid beside: %v", err)
	}
	if out := later(t, 380, s, "--hand-over", dir).stdout; strings.Contains(out, "nuvla") || !strings.Contains(out, "clients/operators: ") {
		t.Errorf("after the hand over:\n%s", out)
	}
	knock(t, dir, 390, held, next)
	judge.Private(t, dir)
}

// knock has a server with the renewed certificate, that asks as dockerd does, let both pairs of a client in on a day.
func knock(t *testing.T, dir string, day int, clients ...tls.Certificate) {
	t.Helper()
	then := func() time.Time { return time.Now().AddDate(0, 0, day) }
	address := serveAt(t, dir, then)
	for i := range clients {
		config := &tls.Config{RootCAs: pool(t, dir), ServerName: "m1", MinVersion: tls.VersionTLS12, Time: then, Certificates: clients[i : i+1]}
		if err := get(address, config); err != nil {
			t.Errorf("day %d, pair %d: %v", day, i, err)
		}
	}
}

// TestForgotten is a client that is told of late, or never: a pair that somebody may use is not lost.
func TestForgotten(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, "certificates: {clients: [nuvla]}\n"))
	dir := t.TempDir()
	bad(t, 3, "holds no authority", s, "--handed-over", dir, "nuvla")
	routine(t, 0, s, dir)
	routine(t, 370, s, dir)
	second := pair(t, dir, "clients/nuvla/next/cert.pem", "clients/nuvla/next/key.pem")
	// Whoever gave it to the client and forgot to say so must not lose it when it is due itself.
	routine(t, 740, s, dir)
	if now := pair(t, dir, "clients/nuvla/cert.pem", "clients/nuvla/key.pem"); string(now.Certificate[0]) != string(second.Certificate[0]) {
		t.Error("the pair of day 370 is lost")
	}
	pair(t, dir, "clients/nuvla/next/cert.pem", "clients/nuvla/next/key.pem")

	// A key that only the client has is nothing that is missing.
	for _, key := range []string{"key.pem", "next/key.pem"} {
		if err := os.Remove(filepath.Join(dir, "clients/nuvla", key)); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, dir)
	routine(t, 741, s, dir)
	wantChanged(t, before, tree(t, dir))
	if r := later(t, 741, s, "--handed-over", dir, "nuvla"); r.code != 0 {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	routine(t, 742, s, dir)

	// A directory of an older skep: pairs, and nothing else.
	for _, mark := range []string{"first", "handed-over"} {
		if err := os.RemoveAll(filepath.Join(dir, "clients/nuvla", mark)); err != nil {
			t.Fatal(err)
		}
	}
	before = tree(t, dir)
	routine(t, 743, s, dir)
	wantChanged(t, before, tree(t, dir))
	if out := later(t, 743, s, "--hand-over", dir).stdout; out != "" {
		t.Errorf("a pair that was handed over long ago is told: %s", out)
	}
	bad(t, 3, "clients/nuvla: there is nothing to hand over", s, "--handed-over", dir, "nuvla")
	bad(t, 2, "clients/nobody: no such client", s, "--handed-over", dir, "clients/nobody")
	bad(t, 2, "b: one name is enough", s, "--handed-over", dir, "a", "b")
}

// TestBesideTheBundle: without a directory, the pairs are where runbook.sh keeps them.
func TestBesideTheBundle(t *testing.T) {
	t.Parallel()
	s := script(t, spec(1, ""))
	dir := filepath.Dir(filepath.Dir(s)) + ".state/certs"
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(dir)) })
	good(t, s, dir)
	good(t, s, "--renew", dir, "clients/nuvla")
	if out, want := good(t, s, "--hand-over", dir), ", then: "+s+" --handed-over nuvla\n"; !strings.Contains(out, want) {
		t.Errorf("said %q, want %q in it", out, want)
	}
	if out := good(t, s, "--handed-over", "nuvla"); out != "clients/nuvla: the next pair is in its place\n" {
		t.Errorf("said %q", out)
	}
}
