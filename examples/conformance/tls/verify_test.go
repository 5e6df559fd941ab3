package tls_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/runbook"
)

// asking returns what the step verify of a spec has to say about a page on loopback: nothing when it answers and a visitor
// would believe it.
func asking(t *testing.T, spec, trust, page string) string {
	t.Helper()
	judge.Tool(t, "curl", "curl")
	files, err := runbook.Files(judge.Cluster(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.Base(f.Path))
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-c", `step() { :; }
		source "$1/cluster.sh"; variables; source "$1/verify.sh"; address=127.0.0.1 web_trust=$2; ask 404 "$3" || printf '%s' "$answer"`,
		"verify", dir, trust, page)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestVerify: the last step asks as a visitor does. A certificate that nobody believes is a failure, whoever was to issue it.
func TestVerify(t *testing.T) {
	t.Parallel()
	kept := "services: {traefik: {certificate: {%s}}}\n"
	s, dir, other := script(t, spec(1, fmt.Sprintf(kept, "selfSigned: {}"))), t.TempDir(), t.TempDir()
	good(t, s, dir)
	good(t, s, other)
	root, given := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "web/web.crt")
	own, foreign := visit(t, pair(t, dir, "web/web.crt", "web/web.key")), visit(t, pair(t, other, "web/web.crt", "web/web.key"))
	for i, c := range []struct {
		certificate, trust, at, name string
		says                         string // nothing: it is well
	}{
		{"selfSigned: {}", root, own, "edge.example.org", ""},
		{"selfSigned: {}", root, foreign, "edge.example.org", "answers 000, want 404: curl: (60)"},
		{"acme: {email: a@example.org}", "", own, "edge.example.org", "answers 000, want 404: curl: (60)"}, // as Traefik's own, when none was issued
		{"acme: {email: a@example.org}", root, own, "edge.example.org", ""},                                // an authority of the site's own
		{"files: {}", "", own, "edge.example.org", "answers 000, want 404: curl: (60)"},
		{"files: {}", given, own, "edge.example.org", ""},
		{"files: {}", given, own, "evil.example.org", "answers 000, want 404: curl: (60)"},
		{"files: {}", given, foreign, "edge.example.org", "answers 000, want 404: curl: (60)"},
	} {
		t.Run(strconv.Itoa(i)+" "+c.certificate, func(t *testing.T) {
			_, port, err := net.SplitHostPort(c.at)
			if err != nil {
				t.Fatal(err)
			}
			cluster := strings.Replace(spec(1, fmt.Sprintf(kept, c.certificate)), "203.0.113.10/32]", "203.0.113.10/32], users: [0.0.0.0/0]", 1)
			page := "https://" + c.name + ":" + port + "/"
			got := asking(t, cluster, c.trust, page)
			if c.says == "" && got != "" || c.says != "" && !strings.Contains(got, page+" "+c.says) {
				t.Errorf("it says %q, want %q", got, c.says)
			}
		})
	}
}
