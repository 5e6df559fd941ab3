package traefik

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// visitors are the ways to one Traefik: by each name that is skep's, and by each address, without a name.
var visitors = []struct{ name, address string }{
	{"paris.example.org", "10.20.0.11"}, {"grafana.example.org", "10.20.0.11"}, {"m1", "10.20.0.11"},
	{"paris.example.org", "2001:db8::11"}, {"PARIS.example.org", "10.20.0.11"},
	{"", "10.20.0.11"}, {"", "10.20.0.100"}, {"", "2001:db8::11"},
}

// TestTakeover has a tenant try by labels to answer in the place of skep's own pages, on every entry point and for
// every visitor. What reaches the tenant carries the administrator's password.
func TestTakeover(t *testing.T) {
	for _, tcp := range []string{"none", "sni"} {
		t.Run(tcp, func(t *testing.T) {
			world(t, fmt.Sprintf(spec, selfSigned+", tcp: "+tcp))
			start(t, user)
			for _, v := range visitors {
				t.Run(v.name+"@"+v.address, func(t *testing.T) { pages(t, v.name, v.address, tcp, http.StatusMovedPermanently) })
			}
			s3 := func(port string) question {
				return question{to: "10.20.0.11:" + port, name: "s3.paris.example.org", path: "/bucket/key", tls: true}
			}
			for _, port := range []string{"443", "9000"} {
				if got := ask(t, s3(port)); got.who != "s3_s3" {
					t.Errorf("S3 by its name on %s: %+v", port, got)
				}
			}
			if c := served("paris.example.org"); c == nil || c.Subject.CommonName != "paris.example.org" {
				t.Errorf("the certificate by name is %+v", c)
			}
			// Prometheus and the health check ask where nobody else does.
			for _, path := range []string{"/metrics", "/ping"} {
				if got := ask(t, question{to: "10.20.0.11:8082", path: path}); got.who != "" || got.status != http.StatusOK {
					t.Errorf("%s: %+v", path, got)
				}
			}
			// What is the tenant's own stays so.
			if got := ask(t, question{to: "10.20.0.11:443", name: "app.example.org", path: "/grafana/", tls: true}); got.who != tenant {
				t.Errorf("the tenant's own name: %+v", got)
			}
			want := map[string]string{"none": tenant, "sni": tenant}[tcp] // by its HTTP router, or by the one of TCP
			if got := ask(t, question{to: "10.20.0.11:443", name: "db.example.org", tls: true}); got.who != want {
				t.Errorf("the tenant's database: %+v", got)
			}
		})
	}
}

// TestGrafanaFrom lets only the zone of the spec see Grafana, by name and by address.
func TestGrafanaFrom(t *testing.T) {
	limited := strings.Replace(spec, "monitoring: {}", "monitoring: {grafana: {from: [management]}}", 1)
	world(t, fmt.Sprintf(limited, selfSigned))
	start(t, user)
	for _, name := range []string{"paris.example.org", ""} {
		q := question{to: "10.20.0.11:443", from: "192.0.2.1", name: name, path: "/grafana/login", tls: true}
		if got := ask(t, q); got.who != "monitoring_grafana" {
			t.Errorf("management, name %q: %+v", name, got)
		}
		q.from = "198.51.100.7"
		if got := ask(t, q); got.who != "" || got.status != http.StatusForbidden {
			t.Errorf("users, name %q: %+v", name, got)
		}
	}
}

// pages asks for everything that is skep's; challenge is what the path of ACME's challenges answers on port 80.
func pages(t *testing.T, name, address, tcp string, challenge int) {
	t.Helper()
	try := func(port, path string) answer {
		return ask(t, question{to: net.JoinHostPort(address, port), name: name, path: path, tls: port != "80", from: from(address)})
	}
	if got := try("8080", "/api/rawdata"); got.who != "" || got.status != http.StatusOK {
		t.Errorf("dashboard: %+v", got)
	}
	if got := try("9000", "/bucket/key"); got.who != "s3_s3" {
		t.Errorf("S3: %+v", got)
	}
	if name != "" || tcp == "none" { // the limit that the README tells
		for path, want := range map[string]string{"/grafana/login": "monitoring_grafana", "/prometheus/graph": "monitoring_prometheus"} {
			if got := try("443", path); got.who != want {
				t.Errorf("%s: %+v", path, got)
			}
		}
		if got := try("443", "/.well-known/acme-challenge/x"); got.who != "" || got.status != http.StatusServiceUnavailable {
			t.Errorf("a challenge on 443: %+v", got)
		}
	}
	for path, want := range map[string]int{"/": 301, "/ping": 301, "/metrics": 301, "/.well-known/acme-challenge/x": challenge} {
		if got := try("80", path); got.who != "" || got.status != want || want == 301 && !strings.HasPrefix(got.location, "https://") {
			t.Errorf("port 80, %s: %+v", path, got)
		}
	}
	for _, port := range []string{"443", "8080", "9000"} {
		got := ask(t, question{to: net.JoinHostPort(address, port), name: name, path: "/"})
		if got.who != "" || got.status != 0 {
			t.Errorf("in clear on %s: %+v", port, got)
		}
	}
}

// from is an address of management of the same family.
func from(to string) string {
	if net.ParseIP(to).To4() == nil {
		return "2001:db8::11"
	}
	return "192.0.2.1"
}

// TestPaths has port 443 clean up paths, so that none slips by a rule for pages, and the port of S3 leave them alone,
// since a signature covers them.
func TestPaths(t *testing.T) {
	world(t, fmt.Sprintf(spec, selfSigned))
	start(t, user)
	stranger := question{to: "10.20.0.11:443", from: "198.51.100.7", name: "paris.example.org", tls: true}
	for _, path := range []string{"//prometheus/graph", "/./prometheus/graph", "/x/../prometheus/graph"} {
		stranger.path = path
		if got := ask(t, stranger); got.status != http.StatusForbidden {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for port, want := range map[string]string{"443": "/bucket/a/b", "9000": "/bucket//a/./b"} {
		got := ask(t, question{to: "10.20.0.11:" + port, name: "s3.paris.example.org", path: "/bucket//a/./b", tls: true})
		if got.who != "s3_s3" || got.path != want {
			t.Errorf("port %s: %+v", port, got)
		}
	}
}

// slow sends a body of n bytes, one a second.
type slow int

func (s *slow) Read(p []byte) (int, error) {
	if *s == 0 {
		return 0, io.EOF
	}
	*s--
	time.Sleep(time.Second)
	p[0] = 'x'
	return 1, nil
}

// TestUploads has a slow upload pass within the time of the spec, and end after it: what a second is here is a minute
// on a cluster.
func TestUploads(t *testing.T) {
	for read, want := range map[string]string{"2s": "", "30s": "monitoring_grafana"} {
		t.Run(read, func(t *testing.T) {
			world(t, fmt.Sprintf(spec, selfSigned+", timeouts: {read: "+read+"}"))
			start(t, user)
			body := slow(5)
			if got := ask(t, question{to: "10.20.0.11:443", name: "paris.example.org", path: "/grafana/x", tls: true, body: &body}); got.who != want {
				t.Errorf("%+v", got)
			}
		})
	}
}
