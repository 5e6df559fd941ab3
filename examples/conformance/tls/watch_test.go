package tls_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
)

// watched is a node that measures what expires on it.
type watched struct {
	script, list, trust, measures, firewall string
}

// watch writes the program of a spec's nodes, with paths of its own.
func watch(t *testing.T, spec string) watched {
	t.Helper()
	files, err := engine.Files(judge.Cluster(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := watched{filepath.Join(dir, "measure"), filepath.Join(dir, "list"), filepath.Join(dir, "trust"), filepath.Join(dir, "measures"), filepath.Join(dir, "firewall")}
	for _, f := range files {
		if f.Path == engine.Watch {
			w.write(t, f)
		}
	}
	if err := os.WriteFile(w.firewall, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w watched) write(t *testing.T, f artifact.File) {
	t.Helper()
	text := string(f.Data)
	for name, path := range map[string]string{"list": w.list, "trust": w.trust, "measures": w.measures, "firewall": w.firewall} {
		line := regexp.MustCompile(`(?m)^readonly ` + name + `='.*'$`)
		if !line.MatchString(text) {
			t.Fatalf("%s has no variable %s", f.Path, name)
		}
		text = line.ReplaceAllLiteralString(text, "readonly "+name+"='"+path+"'")
	}
	if err := os.WriteFile(w.script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// measure runs it on a day and returns each series with its value; Prometheus' own parser reads the file.
func (w watched) measure(t *testing.T, days, code int, rows ...string) map[string]float64 {
	t.Helper()
	if err := os.WriteFile(w.list, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := later(t, days, w.script); r.code != code || r.stdout+r.stderr != "" {
		t.Fatalf("exit %d, want %d: %s%s", r.code, code, r.stdout, r.stderr)
	}
	file, err := os.Open(w.measures)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := expfmt.NewTextParser(model.UTF8Validation)
	families, err := reader.TextToMetricFamilies(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.TrimSpace(name+" "+strings.Join(labels, " "))] = m.GetGauge().GetValue()
		}
	}
	return got
}

// visit serves a certificate on loopback, and returns where.
func visit(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

const (
	ends   = "skep_certificate_not_after_seconds "
	trusts = "skep_certificate_trusted "
	failed = "skep_measure_failed "
)

// TestWatch measures what is in files, what is served and what is only known, over a year.
func TestWatch(t *testing.T) {
	t.Parallel()
	kept := spec(1, "services: {traefik: {certificate: {selfSigned: {}}}}\n")
	s, dir := script(t, kept), t.TempDir()
	good(t, s, dir)
	w := watch(t, kept)
	if err := copyFile(filepath.Join(dir, "ca.pem"), w.trust); err != nil {
		t.Fatal(err)
	}
	at := visit(t, pair(t, dir, "web/web.crt", "web/web.key"))
	server := filepath.Join(dir, "servers/m1/server-cert.pem")
	chain := filepath.Join(t.TempDir(), "chain.pem")
	text := ""
	for _, name := range []string{"ca.pem", "servers/m1/server-cert.pem"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text += "Bag Attributes: anything\n" + string(b)
	}
	if err := os.WriteFile(chain, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(397 * 24 * time.Hour).Unix()
	near := func(got float64) bool { return got > float64(soon-3600) && got < float64(soon+3600) }
	rows := []string{
		"docker-api-server " + server + " file " + server, "chain " + chain + " file " + chain,
		"docker-api-client nuvla date 12345", "web edge.example.org served " + at,
	}
	for _, day := range []int{0, 396, 398} {
		got := w.measure(t, day, 0, rows...)
		for _, name := range []string{"docker-api-server " + server, "chain " + chain, "web edge.example.org"} {
			if !near(got[ends+name]) {
				t.Errorf("day %d: %s ends at %v, want %d", day, name, got[ends+name], soon)
			}
		}
		if got[ends+"docker-api-client nuvla"] != 12345 || got["skep_firewall_settled"] != 1 {
			t.Errorf("day %d: %v", day, got)
		}
		if want := map[bool]float64{true: 1, false: 0}[day < 397]; got[trusts+"web edge.example.org"] != want {
			t.Errorf("day %d: visitors believe: %v, want %v", day, got[trusts+"web edge.example.org"], want)
		}
		if age := float64(time.Now().AddDate(0, 0, day).Unix()) - got["skep_measured_seconds"]; age < -5000 || age > 5000 {
			t.Errorf("day %d: measured %v seconds ago", day, age)
		}
	}

	// What cannot be seen is said, and the rest is measured all the same.
	if err := os.WriteFile(w.firewall, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := w.measure(t, 0, 1, "vpn-server /nowhere file /nowhere", "web edge.example.org served 127.0.0.1:1", "swarm-node "+w.list+" file "+w.list, rows[0])
	for _, name := range []string{"vpn-server /nowhere", "web edge.example.org", "swarm-node " + w.list} {
		if got[failed+name] != 1 {
			t.Errorf("%s is not said to have failed: %v", name, got)
		}
	}
	if !near(got[ends+"docker-api-server "+server]) || got["skep_firewall_settled"] != 0 {
		t.Errorf("%v", got)
	}
}

// TestVisitors: a certificate counts as good only when a visitor of the name believes it.
func TestVisitors(t *testing.T) {
	t.Parallel()
	kept := "services: {traefik: {certificate: {%s}}}\n"
	s, dir, other := script(t, spec(1, fmt.Sprintf(kept, "selfSigned: {}"))), t.TempDir(), t.TempDir()
	good(t, s, dir)
	good(t, s, other)
	own, foreign := visit(t, pair(t, dir, "web/web.crt", "web/web.key")), visit(t, pair(t, other, "web/web.crt", "web/web.key"))
	for i, c := range []struct {
		certificate, trust, at, name string
		want                         float64
	}{
		{"selfSigned: {}", filepath.Join(dir, "ca.pem"), own, "edge.example.org", 1},
		{"selfSigned: {}", filepath.Join(dir, "ca.pem"), own, "evil.example.org", 0},
		{"selfSigned: {}", filepath.Join(dir, "ca.pem"), foreign, "edge.example.org", 0},
		{"acme: {email: a@example.org}", "", own, "edge.example.org", 0},
		{"files: {}", "", own, "edge.example.org", 0},
		{"files: {}", filepath.Join(dir, "web/web.crt"), own, "edge.example.org", 1}, // what was handed over, without its root
		{"files: {}", filepath.Join(dir, "web/web.crt"), foreign, "edge.example.org", 0},
	} {
		t.Run(strconv.Itoa(i)+" "+c.certificate, func(t *testing.T) {
			cluster := strings.Replace(spec(1, fmt.Sprintf(kept, c.certificate)), "203.0.113.10/32]", "203.0.113.10/32], users: [0.0.0.0/0]", 1)
			w := watch(t, cluster)
			if c.trust != "" {
				if err := copyFile(c.trust, w.trust); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.measure(t, 0, 0, "web "+c.name+" served "+c.at); got[trusts+"web "+c.name] != c.want {
				t.Errorf("visitors believe: %v, want %v", got, c.want)
			}
		})
	}
}
