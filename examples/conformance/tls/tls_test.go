// Package tls_test runs every bundle's generate-certificates.sh and lets openssl and Go judge what it makes.
package tls_test

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/tls"
	"skep.dev/schema"
)

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, bundle := range judge.Bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			script, err := filepath.Abs(filepath.Join(bundle, tls.Script))
			if err != nil {
				t.Fatal(err)
			}
			exercise(t, judge.Spec(t, bundle), script)
		})
	}
}

// TestEdges runs specs that no example has: one manager and nothing else, and addresses of both families in every form.
func TestEdges(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"bare": spec(1, ""),
		"six": strings.NewReplacer("10.0.0.11", `"2001:db8::11", public: 198.51.100.11`, "10.0.0.12", `"2001:db8:0::0:12"`).
			Replace(spec(2, "certificates: {names: [\"2001:0DB8::0:1\", a.example.org, 198.51.100.11]}\nservices: {traefik: {certificate: {selfSigned: {}}}}\n")),
		"long":  strings.Replace(spec(1, ""), "name: edge", "name: "+strings.Repeat("a", 40), 1),
		"short": spec(1, "certificates: {days: 1, clients: []}\n"),
	} {
		t.Run(name, func(t *testing.T) { exercise(t, judge.Cluster(t, s), script(t, s)) })
	}
}

// exercise makes all certificates of a cluster, has them judged, and makes them again.
func exercise(t *testing.T, c *schema.Cluster, script string) {
	dir := filepath.Join(t.TempDir(), "it's a dir")
	good(t, script, dir)
	before := tree(t, dir)
	checks := strings.Split(strings.TrimSpace(good(t, script, "--check", dir)), "\n")
	want := 1 + len(c.Managers()) + len(c.Certificates.Clients)
	if tls.WebNames(c) != nil {
		want++
	}
	if len(checks) != want {
		t.Errorf("--check names %d pairs, want %d:\n%s", len(checks), want, strings.Join(checks, "\n"))
	}
	if out := good(t, script, dir); out != "" {
		t.Errorf("the second run talks: %s", out)
	}
	if d := changed(before, tree(t, dir)); len(d) != 0 {
		t.Errorf("the second run changed %v", slices.Collect(maps.Keys(d)))
	}
	for _, m := range c.Managers() {
		verify(t, dir, filepath.Join(tls.Servers, m.Name, tls.ServerCert), "sslserver", "sslclient", tls.ServerNames(c, m))
	}
	for _, name := range c.Certificates.Clients {
		verify(t, dir, filepath.Join(tls.Clients, name, tls.ClientCert), "sslclient", "sslserver", nil)
	}
	if names := tls.WebNames(c); names != nil {
		verify(t, dir, filepath.Join(tls.Web, tls.WebCert), "sslserver", "sslclient", names)
	}
	judge.Private(t, dir)
}

// verify has openssl judge a certificate: right purpose and every name good, another purpose and name refused.
func verify(t *testing.T, dir, cert, purpose, other string, names []string) {
	t.Helper()
	openssl := judge.Tool(t, "openssl", "openssl")
	ask := func(args ...string) error {
		args = append([]string{"verify", "-x509_strict", "-no-CApath", "-CAfile", filepath.Join(dir, tls.CA)}, args...)
		out, err := exec.Command(openssl, append(args, filepath.Join(dir, cert))...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, out)
		}
		return nil
	}
	if err := ask("-purpose", purpose); err != nil {
		t.Error(err)
	}
	if ask("-purpose", other) == nil {
		t.Errorf("%s: good as %s too", cert, other)
	}
	for _, name := range names {
		if err := ask("-purpose", purpose, flag(name), name); err != nil {
			t.Error(err)
		}
	}
	if names != nil && (ask("-verify_hostname", "other.example.net") == nil || ask("-verify_ip", "192.0.2.99") == nil) {
		t.Errorf("%s: good for a name that is nobody's", cert)
	}
}

func flag(name string) string {
	if strings.ContainsAny(name[:1], "0123456789:") && !strings.Contains(name, ".example") || strings.Contains(name, ":") {
		return "-verify_ip"
	}
	return "-verify_hostname"
}
