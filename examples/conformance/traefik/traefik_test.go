// Package traefik judges the Traefik files of every example's bundle with Traefik's own code: the strict decoder, the
// parser of rules and the router, which is asked real requests.
package traefik

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/compose/loader"
	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/label"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"

	"skep.dev/examples/conformance/judge"
)

// bundles runs a test for the Traefik stack of every bundle that has one.
func bundles(t *testing.T, test func(*testing.T, string)) {
	t.Helper()
	found := 0
	for _, bundle := range judge.Bundles(t) {
		dir := filepath.Join(bundle, "stacks", "traefik")
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		found++
		t.Run(judge.Example(bundle), func(t *testing.T) { test(t, dir) })
	}
	if found == 0 {
		t.Error("no bundle has stacks/traefik")
	}
}

func static(t *testing.T, dir string) *staticConfig {
	t.Helper()
	var c staticConfig
	path := filepath.Join(dir, "traefik.yaml")
	if err := file.Decode(path, &c); err != nil {
		t.Fatal(err)
	}
	onlyKeys(t, path, "global", "log", "api", "ping", "metrics", "providers", "entryPoints", "certificatesResolvers")
	return &c
}

func dynamics(t *testing.T, dir string) *dynamic.Configuration {
	t.Helper()
	var c dynamic.Configuration
	path := filepath.Join(dir, "dynamic.yaml")
	if err := file.Decode(path, &c); err != nil {
		t.Fatal(err)
	}
	onlyKeys(t, path, "http", "tcp", "tls")
	return &c
}

// onlyKeys is what Traefik's decoder does not do: below the top it refuses keys that it does not know, at the top it
// skips them.
func onlyKeys(t *testing.T, path string, keys ...string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := loader.ParseYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	for key := range raw {
		if !slices.Contains(keys, key) {
			t.Errorf("%s: Traefik does not read %q", path, key)
		}
	}
}

func TestStatic(t *testing.T) {
	bundles(t, func(t *testing.T, dir string) {
		c := static(t, dir)
		compose, err := os.ReadFile(filepath.Join(dir, "compose.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if c.API == nil || !c.API.Dashboard || c.API.Insecure {
			t.Error("want the dashboard, behind a router")
		}
		for what, point := range map[string]string{"ping": c.Ping.EntryPoint, "metrics": c.Metrics.Prometheus.EntryPoint} {
			if c.EntryPoints[point] == nil {
				t.Errorf("%s: no entry point %q", what, point)
			} else if strings.Contains(string(compose), "published: "+strings.TrimPrefix(c.EntryPoints[point].Address, ":")+"\n") {
				t.Errorf("%s: entry point %q is published", what, point)
			}
		}
		for name, e := range c.EntryPoints {
			if to := e.HTTP.Redirections.EntryPoint.To; to != "" && c.EntryPoints[to] == nil {
				t.Errorf("entry point %s redirects to %q, which is none", name, to)
			}
			if r := e.HTTP.TLS; r != nil && r.CertResolver != "" && c.CertificatesResolvers[r.CertResolver] == nil {
				t.Errorf("entry point %s wants resolver %q, which is none", name, r.CertResolver)
			}
			if !slices.Contains([]string{"internal", "redirect", "status"}, name) && !strings.Contains(string(compose), "target: "+strings.TrimPrefix(e.Address, ":")+"\n") {
				t.Errorf("entry point %s is not published", name)
			}
		}
		for name, r := range c.CertificatesResolvers {
			if h := r.ACME.HTTPChallenge; h != nil && c.EntryPoints[h.EntryPoint] == nil {
				t.Errorf("resolver %s: no entry point %q", name, h.EntryPoint)
			}
			if (r.ACME.HTTPChallenge == nil) == (r.ACME.TLSChallenge == nil) {
				t.Errorf("resolver %s: want one challenge", name)
			}
		}
		for _, mounted := range []string{c.Providers.File.Filename, "/etc/traefik/traefik.yaml"} {
			if !strings.Contains(string(compose), "target: "+mounted+"\n") {
				t.Errorf("%s is not mounted", mounted)
			}
		}
		if strings.HasPrefix(c.Providers.Swarm.Endpoint, "unix:") || c.Providers.Swarm.ExposedByDefault || c.Providers.Swarm.Network == "" {
			t.Errorf("swarm provider %+v", c.Providers.Swarm)
		}
	})
}

func TestReferences(t *testing.T) {
	bundles(t, func(t *testing.T, dir string) {
		s, d := static(t, dir), dynamics(t, dir)
		for name, r := range d.HTTP.Routers {
			for _, e := range r.EntryPoints {
				if s.EntryPoints[e] == nil {
					t.Errorf("router %s: no entry point %q", name, e)
				} else if s.EntryPoints[e].HTTP.TLS == nil {
					t.Errorf("router %s answers without TLS", name)
				}
			}
			for _, m := range r.Middlewares {
				if d.HTTP.Middlewares[m] == nil {
					t.Errorf("router %s: no middleware %q", name, m)
				}
			}
			if d.HTTP.Services[r.Service] == nil && r.Service != "api@internal" {
				t.Errorf("router %s: no service %q", name, r.Service)
			}
			// A router's tls replaces that of its entry point, so it names the resolver again, and what to ask it for.
			if r.TLS != nil && (s.CertificatesResolvers[r.TLS.CertResolver] == nil || len(r.TLS.Domains) == 0) {
				t.Errorf("router %s: tls %+v", name, r.TLS)
			}
		}
		unused(t, s, d)
		if g := d.TLS.Stores["default"].DefaultGeneratedCert; g != nil && s.CertificatesResolvers[g.Resolver] == nil {
			t.Errorf("no resolver %q", g.Resolver)
		}
		for name, m := range d.HTTP.Middlewares {
			if m.BasicAuth != nil && (len(m.BasicAuth.Users) > 0 || m.BasicAuth.UsersFile == "") {
				t.Errorf("middleware %s holds a login", name)
			}
		}
	})
}

// unused finds middlewares and services that no router or entry point names.
func unused(t *testing.T, s *staticConfig, d *dynamic.Configuration) {
	t.Helper()
	for name := range d.HTTP.Middlewares {
		used := false
		for _, r := range d.HTTP.Routers {
			used = used || slices.Contains(r.Middlewares, name)
		}
		for _, e := range s.EntryPoints {
			used = used || slices.Contains(e.HTTP.Middlewares, name+"@file")
		}
		if !used {
			t.Errorf("no router uses middleware %s", name)
		}
	}
	for name := range d.HTTP.Services {
		used := false
		for _, r := range d.HTTP.Routers {
			used = used || r.Service == name
		}
		if !used {
			t.Errorf("no router uses service %s", name)
		}
	}
}

// TestRequests routes real requests with Traefik's own matcher and priorities.
func TestRequests(t *testing.T) {
	bundles(t, func(t *testing.T, dir string) {
		d := dynamics(t, dir)
		ask := router(t, d, "websecure")
		want := map[string]string{
			"https://example.org/":               "catchall",
			"https://example.org/api/rawdata":    "catchall",
			"https://app.example.net/prometheus": "catchall", // an application's own page
		}
		if g := d.HTTP.Routers["grafana"]; g != nil {
			page := "https://" + between(g.Rule, "Host(`", "`)")
			want[page+"/.well-known/acme-challenge/x"] = "challenges"
			want[page+"/"] = "catchall"
			want[page+"/dashboard/"] = "catchall"
			want[page+"/grafana"] = "grafana"
			want[page+"/grafana/d/x"] = "grafana"
			want[page+"/grafana-x"] = "catchall"
			want[page+"/prometheus/-/ready"] = "prometheus"
			want[page+"/prometheusx"] = "catchall"
		}
		if s := d.HTTP.Routers["s3-host"]; s != nil {
			want["https://"+between(s.Rule, "Host(`", "`)")+"/grafana/key"] = "s3-host"
		}
		for url, router := range want {
			if got := ask(url); got != router {
				t.Errorf("%s goes to %q, want %q", url, got, router)
			}
		}
		if got := router(t, d, "dashboard")("https://example.org:8080/api/rawdata"); got != "dashboard" {
			t.Errorf("the dashboard's port leads to %q", got)
		}
	})
}

func TestLogins(t *testing.T) {
	guarded := []string{"dashboard", "dashboard-names", "prometheus", "alertmanager"}
	bundles(t, func(t *testing.T, dir string) {
		for name, r := range dynamics(t, dir).HTTP.Routers {
			if got, want := slices.Contains(r.Middlewares, "admin-login"), slices.Contains(guarded, name); got != want {
				t.Errorf("router %s asks for a login: %v, want %v", name, got, want)
			}
			if got, want := slices.Contains(r.Middlewares, "management-only"), slices.Contains(guarded[2:], name); got != want {
				t.Errorf("router %s is for management only: %v, want %v", name, got, want)
			}
		}
	})
}

// router returns a function from a URL to the name of the router that takes it on the entry point.
func router(t *testing.T, d *dynamic.Configuration, point string) func(string) string {
	t.Helper()
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	mux := muxer.NewMuxer(parser)
	for name, r := range d.HTTP.Routers {
		if !slices.Contains(r.EntryPoints, point) {
			continue
		}
		priority := r.Priority
		if priority == 0 {
			priority = muxer.GetRulePriority(r.Rule)
		}
		say := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
		if err := mux.AddRoute(r.Rule, "", priority, say); err != nil {
			t.Errorf("router %s: %v", name, err)
		}
	}
	decorate := requestdecorator.New(nil) // it reads the host, as the entry point does
	return func(url string) string {
		w := httptest.NewRecorder()
		decorate.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil), mux.ServeHTTP)
		return w.Body.String()
	}
}

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// TestLabels decodes the Traefik labels of every service, and parses their rules. Labels of the container, which the
// swarm provider does not read, must not be Traefik's.
func TestLabels(t *testing.T) {
	for _, bundle := range judge.Bundles(t) {
		files, err := filepath.Glob(filepath.Join(bundle, "stacks", "*", "compose.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := loader.ParseYAML(data)
			if err != nil {
				t.Fatal(err)
			}
			services, _ := raw["services"].(map[string]any)
			for name, service := range services {
				keys, _ := service.(map[string]any)
				deploy, _ := keys["deploy"].(map[string]any)
				for k := range labels(keys["labels"]) {
					if strings.HasPrefix(k, "traefik.") {
						t.Errorf("%s: %s: label %s is not below deploy", f, name, k)
					}
				}
				checkLabels(t, f+": "+name, labels(deploy["labels"]))
			}
		}
	}
}

func checkLabels(t *testing.T, where string, labels map[string]string) {
	t.Helper()
	c, err := label.DecodeConfiguration(labels)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range c.HTTP.Routers {
		if err := muxer.NewMuxer(parser).AddRoute(r.Rule, "", 0, http.NotFoundHandler()); err != nil {
			t.Errorf("%s: router %s: %v", where, name, err)
		}
	}
}

// labels reads both forms that a stack file may have.
func labels(v any) map[string]string {
	out := map[string]string{}
	switch v := v.(type) {
	case map[string]any:
		for k, value := range v {
			out[k] = fmt.Sprint(value)
		}
	case []any:
		for _, entry := range v {
			k, value, _ := strings.Cut(fmt.Sprint(entry), "=")
			out[k] = value
		}
	}
	return out
}
