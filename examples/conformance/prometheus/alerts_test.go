package prometheus

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/stack"
)

// site has everything that an alert may be about, and a certificate by ACME. The object store is on the share.
const site = `name: site
kind: target
domain: site.example.org
nodes:
  m1: {address: 10.0.0.11, role: manager}
  w1: {address: 10.0.0.12}
access: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32], users: [0.0.0.0/0]}
services:
  traefik: {certificate: {acme: {email: a@example.org}}}
  monitoring: {alerts: {webhook: {url: "http://192.0.2.9/"}, watchdog: {}}}
  nfs: {server: w1, path: /srv/share, filesystem: own, shares: {shop: {path: /srv/shop, filesystem: own}, tools: {path: /srv/tools}}}
  s3: {filesystem: own}
`

// alertCase is some measures, and what Prometheus says of one alert when they have gone on for a while.
type alertCase struct {
	alert  string
	why    string
	every  string // time between two samples, and two looks at the rules
	series string // in promtool's notation, a line each
	after  string
	want   []string // summaries; none, and the alert must be silent
}

// TestAlerts has Prometheus' own engine follow each alert through cases in which it must speak, and in which it must not.
func TestAlerts(t *testing.T) {
	path := siteRules(t, site)
	speaks, silent := map[string]bool{}, map[string]bool{}
	for _, c := range alertCases {
		if len(c.want) > 0 {
			speaks[c.alert] = true
		} else {
			silent[c.alert] = true
		}
		t.Run(c.alert+"/"+c.why, func(t *testing.T) {
			if got := fires(t, path, c); !slices.Equal(got, c.want) {
				t.Errorf("%s after %s:\n%sgot  %q\nwant %q", c.alert, c.after, c.series, got, c.want)
			}
		})
	}
	groups, errs := manager(nil).LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, path)
	if errs != nil {
		t.Fatal(errs)
	}
	for _, g := range groups {
		for _, r := range g.Rules() {
			// The disk of the share has a judge of its own.
			if r.Name() == "ShareFull" {
				continue
			}
			if !speaks[r.Name()] || !silent[r.Name()] {
				t.Errorf("%s: want a case in which it speaks, and one in which it does not", r.Name())
			}
		}
	}
}

// TestQuorum: whatever the number of managers, it is told when none of them may be missing any more.
func TestQuorum(t *testing.T) {
	for managers, enough := range map[int]int{3: 3, 4: 4, 5: 4, 7: 5} {
		var nodes strings.Builder
		for i := range managers {
			fmt.Fprintf(&nodes, "  m%d: {address: 10.0.0.2%d, role: manager}\n", i+1, i+1)
		}
		path := siteRules(t, strings.Replace(site, "  m1: {address: 10.0.0.11, role: manager}\n", nodes.String(), 1))
		for up := range managers + 1 {
			c := alertCase{alert: "QuorumAtRisk", every: "1m", after: "15m", series: `up{job="engine",node="w1"} 1x20` + "\n"}
			for i := range up {
				c.series += fmt.Sprintf("swarm_node_manager{job=\"engine\",node=\"m%d\"} 1x20\n", i+1)
			}
			if got := fires(t, path, c); (len(got) > 0) != (up < enough) {
				t.Errorf("%d of %d managers: %q", up, managers, got)
			}
		}
	}
}

// TestFilesAlert: certificates that were handed over may have any name; none at all is told.
func TestFilesAlert(t *testing.T) {
	path := siteRules(t, strings.Replace(site, "acme: {email: a@example.org}", "files: {}", 1))
	c := alertCase{alert: "WebCertificateMissing", every: "1m", after: "2h", series: traefik + strings.ReplaceAll(route("1", "9999999x200"), "site.example", "*.example")}
	if got := fires(t, path, c); len(got) > 0 {
		t.Errorf("a wildcard: %q", got)
	}
	c.series = traefik
	if got := fires(t, path, c); len(got) != 1 {
		t.Errorf("no certificate: %q", got)
	}
}

// siteRules writes the rules of a spec.
func siteRules(t *testing.T, spec string) string {
	t.Helper()
	files, err := stack.Files(judge.Cluster(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(judge.Write(t, t.TempDir(), files), "stacks/monitoring/rules.yaml")
}

func manager(suite *promqltest.LazyLoader) *rules.Manager {
	o := &rules.ManagerOptions{
		Context: context.Background(), Logger: slog.New(slog.DiscardHandler), Parser: parser.NewParser(parser.Options{}),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	}
	if suite != nil {
		o.QueryFunc, o.Appendable = rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()), suite.Storage()
	}
	return rules.NewManager(o)
}

// fires returns the summaries of the alert at the end of a case, as promtool finds them.
func fires(t *testing.T, path string, c alertCase) []string {
	t.Helper()
	every, err := time.ParseDuration(c.every)
	if err != nil {
		t.Fatal(err)
	}
	var load strings.Builder
	fmt.Fprintf(&load, "load %s\n", c.every)
	for line := range strings.Lines(strings.TrimSuffix(c.series, "\n")) {
		load.WriteString("  " + line)
	}
	suite, err := promqltest.NewLazyLoader(load.String()+"\n", promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = suite.Close() }()
	suite.SubqueryInterval = every
	groups, errs := manager(suite).LoadGroups(every, labels.EmptyLabels(), "", nil, false, path)
	if errs != nil {
		t.Fatal(errs)
	}
	var alert *rules.AlertingRule
	for _, g := range groups {
		for _, r := range g.Rules() {
			if a, ok := r.(*rules.AlertingRule); ok {
				a.SetRestored(true)
				if r.Name() == c.alert {
					alert = a
				}
			}
		}
	}
	if alert == nil {
		t.Fatalf("no alert %s in %s", c.alert, filepath.Base(path))
	}
	for at := time.Unix(0, 0).UTC(); !at.After(time.Unix(0, 0).Add(hours(t, c.after))); at = at.Add(every) {
		suite.WithSamplesTill(at, func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				g.Eval(suite.Context(), at)
			}
		})
		if err := alert.LastError(); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, a := range alert.ActiveAlerts() {
		if a.State == rules.StateFiring {
			got = append(got, a.Annotations.Get("summary"))
		}
	}
	slices.Sort(got)
	return got
}

// hours reads days too.
func hours(t *testing.T, text string) time.Duration {
	t.Helper()
	var days int
	if n, _ := fmt.Sscanf(text, "%dd", &days); n == 1 && strings.HasSuffix(text, "d") {
		return time.Duration(days) * 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
