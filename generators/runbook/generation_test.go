package runbook_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
)

// What a service had before its last update stays, for "docker service rollback": its configs, its secrets and their
// values. What it had before that is gone.
func TestLongOneGeneration(t *testing.T) {
	s := settled(t, target(t))
	later := []string{"run", "--yes", "--from", "secrets"} // the steps before do nothing
	revision := func(n int) {
		t.Helper()
		c := target(t)
		c.Services.Traefik.Dashboard.Revision = n
		c.Services.Traefik.Log = []string{"INFO", "WARN", "ERROR"}[n-1]
		i := slices.IndexFunc(c.Secrets, func(r schema.Secret) bool { return r.Name == "traefik-dashboard" })
		c.Secrets[i].Revision = n
		s.build(c)
		s.want(0, later...)
	}
	kept := func(pattern string) string {
		t.Helper()
		var names []string
		paths, err := filepath.Glob(filepath.Join(s.fake, pattern))
		must(t, err)
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
		return strings.Join(names, " ")
	}
	first := kept("swarm/configs/traefik-traefik.yaml-*")
	revision(2)
	second := kept("swarm/configs/traefik-traefik.yaml-*")
	if !strings.Contains(second, first) || len(second) <= len(first) {
		t.Errorf("configs after the first change: %s, and before it %s", second, first)
	}
	if got := kept("swarm/secrets/traefik-dashboard-*"); got != "traefik-dashboard-r1 traefik-dashboard-r2" {
		t.Errorf("secrets after the first change: %s", got)
	}
	before := len(s.calls())
	s.want(0, later...)
	s.want(0, "verify", "--from", "secrets")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the next run changed:\n%s", strings.Join(changes, "\n"))
	}

	// The reflex: everything that the old spec names is there, and the next run takes the new one up again.
	previous, err := os.ReadFile(filepath.Join(s.fake, "swarm/previous/traefik"))
	must(t, err)
	if !strings.Contains(string(previous), first) || !strings.Contains(string(previous), "traefik-dashboard-r1") {
		t.Errorf("the stand-in rolls back to something else:\n%s", previous)
	}
	must(t, os.Rename(filepath.Join(s.fake, "swarm/previous/traefik"), filepath.Join(s.fake, "swarm/services/traefik")))
	s.want(0, later...)
	if got := kept("swarm/secrets/traefik-dashboard-*"); got != "traefik-dashboard-r1 traefik-dashboard-r2" {
		t.Errorf("secrets after a rollback and a run: %s", got)
	}

	revision(3)
	if third := kept("swarm/configs/traefik-traefik.yaml-*"); strings.Contains(third, first) || len(third) != len(second) {
		t.Errorf("configs after the second change: %s, and before it %s", third, second)
	}
	for pattern, want := range map[string]string{
		"swarm/secrets/traefik-dashboard-*":                         "traefik-dashboard-r2 traefik-dashboard-r3",
		"hosts/10.0.0.11/etc/skep/secrets/traefik-dashboard-r?":     "traefik-dashboard-r2 traefik-dashboard-r3",
		"hosts/10.0.0.11/etc/skep/secrets/traefik-dashboard-r1.pa*": "",
	} {
		if got := kept(pattern); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}

	// A service that the spec has no more takes its secrets along.
	c := target(t)
	drop(c, "s3")
	c.Services.S3 = nil
	c.Secrets = slices.DeleteFunc(c.Secrets, func(r schema.Secret) bool { return strings.HasPrefix(r.Name, "s3-") })
	s.build(c)
	s.want(0, later...)
	if got := kept("swarm/secrets/s3-*"); got != "" {
		t.Errorf("left of S3: %s", got)
	}
}

// drop takes the stack of a service away, its images and its alerts.
func drop(c *schema.Cluster, service string) {
	c.Rows.Alerts = slices.DeleteFunc(c.Rows.Alerts, func(a schema.Alerting) bool { return a.Name == service })
	c.Rows.Deploys = slices.DeleteFunc(c.Rows.Deploys, func(d schema.Deploy) bool { return d.Name == service })
	c.Rows.Images = slices.DeleteFunc(c.Rows.Images, func(i schema.Image) bool { return strings.HasPrefix(i.Field, "services."+service+".") })
}
