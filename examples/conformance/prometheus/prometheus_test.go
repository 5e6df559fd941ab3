// Package prometheus judges the monitoring files of every example's bundle with what reads them: the packages of
// Prometheus and Alertmanager, and for the dashboard the parser of its queries.
package prometheus

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	alertconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/moby" // without it dockerswarm_sd_configs is an unknown key
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"skep.dev/examples/conformance/judge"
)

// files runs a test for a file of the monitoring stack of every bundle that has it.
func files(t *testing.T, name string, test func(*testing.T, string)) {
	t.Helper()
	found := 0
	for _, bundle := range judge.Bundles(t) {
		path := filepath.Join(bundle, "stacks", "monitoring", name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		found++
		t.Run(judge.Example(bundle), func(t *testing.T) { test(t, path) })
	}
	if found == 0 {
		t.Errorf("no bundle has stacks/monitoring/%s", name)
	}
}

func TestPrometheus(t *testing.T) {
	files(t, "prometheus.yaml", func(t *testing.T, path string) {
		c, err := config.LoadFile(path, false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		scrapes, err := c.GetScrapeConfigs()
		if err != nil {
			t.Fatal(err)
		}
		var jobs []string
		for _, s := range scrapes {
			jobs = append(jobs, s.JobName)
		}
		for _, want := range []string{"prometheus", "grafana", "engine", "node-exporter", "cadvisor", "traefik"} {
			if !slices.Contains(jobs, want) {
				t.Errorf("no job %s in %v", want, jobs)
			}
		}
		_, err = os.Stat(filepath.Join(filepath.Dir(path), "alertmanager.yaml"))
		if told := len(c.AlertingConfig.AlertmanagerConfigs) > 0; told != (err == nil) {
			t.Errorf("alerts are sent: %v, and there is an Alertmanager: %v", told, err == nil)
		}
		if r := c.StorageConfig.TSDBConfig.Retention; r == nil || r.Time == 0 || r.Size == 0 {
			t.Errorf("retention %+v: want a time and a size", r)
		}
	})
}

// What the swarm says about a target becomes the address that is scraped and the spec's name of the node.
func TestTargets(t *testing.T) {
	task := func(service, network, address string) labels.Labels {
		return labels.FromStrings(
			"__address__", address, "__meta_dockerswarm_service_name", service, "__meta_dockerswarm_network_name", network,
			"__meta_dockerswarm_task_desired_state", "running", "__meta_dockerswarm_node_label_skep_node", "m1")
	}
	tests := []struct {
		job  string
		from labels.Labels
		want string // address and node, or nothing
	}{
		{"engine", labels.FromStrings("__address__", "10.0.0.12:9323", "__meta_dockerswarm_node_label_skep_node", "w1"), "10.0.0.12:9323 w1"},
		{"engine", labels.FromStrings("__address__", "0.0.0.0:9323", "__meta_dockerswarm_node_label_skep_node", "m1", "__meta_dockerswarm_node_manager_address", "10.0.0.11:2377"), "10.0.0.11:9323 m1"},
		{"engine", labels.FromStrings("__address__", "0.0.0.0:9323", "__meta_dockerswarm_node_label_skep_node", "m1", "__meta_dockerswarm_node_manager_address", "[2001:db8::1]:2377"), "[2001:db8::1]:9323 m1"},
		{"traefik", task("traefik_traefik", "skep-monitoring", "10.224.1.5:443"), "10.224.1.5:8082 m1"},
		{"traefik", task("traefik_traefik", "traefik-public", "10.224.0.5:443"), ""},
		{"traefik", task("other_traefik", "skep-monitoring", "10.224.1.6:443"), ""},
		{"node-exporter", labels.FromStrings("__address__", "10.0.0.12:9100", "__meta_dockerswarm_node_label_skep_node", "w1"), "10.0.0.12:9100 w1"},
		{"node-exporter", labels.FromStrings("__address__", "0.0.0.0:9100", "__meta_dockerswarm_node_label_skep_node", "m1", "__meta_dockerswarm_node_manager_address", "10.0.0.11:2377"), "10.0.0.11:9100 m1"},
		{"cadvisor", task("monitoring_cadvisor", "skep-monitoring", "10.224.1.8:8080"), "10.224.1.8:8080 m1"},
	}
	files(t, "prometheus.yaml", func(t *testing.T, path string) {
		c, err := config.LoadFile(path, false, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			i := slices.IndexFunc(c.ScrapeConfigs, func(s *config.ScrapeConfig) bool { return s.JobName == test.job })
			b := labels.NewBuilder(test.from)
			got := ""
			if relabel.ProcessBuilder(b, c.ScrapeConfigs[i].RelabelConfigs...) {
				got = b.Get("__address__") + " " + b.Get("node")
			}
			if got != test.want {
				t.Errorf("%s: %s becomes %q, want %q", test.job, test.from, got, test.want)
			}
		}
	})
}

// TestRuleFiles: what is written beside the generator is a file of rules as it stands, before any cluster's values.
func TestRuleFiles(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "generators", "stack", "*.rules.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		for _, err := range errs {
			t.Error(err)
		}
		for _, g := range groups.Groups {
			if len(g.Rules) == 0 {
				t.Errorf("%s: the group %s is empty", path, g.Name)
			}
		}
	}
}

func TestRules(t *testing.T) {
	files(t, "rules.yaml", func(t *testing.T, path string) {
		groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		for _, err := range errs {
			t.Error(err)
		}
		if groups == nil {
			t.Fatal("no groups")
		}
		seen, nodes := map[string]bool{}, nodesOf(t, path)
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if seen[r.Alert] {
					t.Errorf("two alerts are called %s", r.Alert)
				}
				seen[r.Alert] = true
				if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
					t.Errorf("%s has no severity, summary or description", r.Alert)
				}
				commands(t, r, nodes)
			}
		}
	})
}

// place is where a command is to be typed.
var place = regexp.MustCompile(`^on ({{ \$labels\.node }}|your machine|(?:a|each) manager \(([^)]+)\)|[a-z0-9-]+): .+`)

// label is what the text of an alert has of its series.
var label = regexp.MustCompile(`\$labels\.(\w+)`)

// commands looks at the first commands of an alert: they say on which machine of the cluster, and hold nothing that a container
// or a client could choose, since somebody will paste them.
func commands(t *testing.T, r rulefmt.Rule, nodes []string) {
	t.Helper()
	if r.Annotations["command"] == "" {
		t.Errorf("%s has no first command", r.Alert)
	}
	names := strings.Contains(r.Annotations["summary"], "$labels.node")
	for line := range strings.Lines(r.Annotations["command"]) {
		m := place.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%s: %q does not say where", r.Alert, line)
			continue
		}
		for _, l := range label.FindAllStringSubmatch(line, -1) {
			if l[1] != "node" && l[1] != "job" {
				t.Errorf("%s: the label %s stands in the command %q", r.Alert, l[1], line)
			}
		}
		names = names || m[1] == "your machine" || slices.Contains(nodes, m[1]) ||
			slices.ContainsFunc(strings.Split(m[2], ", "), func(name string) bool { return slices.Contains(nodes, name) })
	}
	if !names {
		t.Errorf("%s names no machine", r.Alert)
	}
}

// nodesOf are the names in the runbook of the bundle that has the file.
func nodesOf(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(filepath.Dir(path), "..", "..", "runbook", "hosts"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	return names
}

func TestAlertmanager(t *testing.T) {
	files(t, "alertmanager.yaml", func(t *testing.T, path string) {
		c, err := alertconfig.LoadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.Route.Receiver == "" || len(c.Receivers) != 1+len(c.Route.Routes) {
			t.Errorf("want one receiver for the operators and for each other route, got %d", len(c.Receivers))
		}
		for _, r := range c.Route.Routes {
			if r.Receiver != "watchdog" || len(r.Matchers) != 1 || r.Matchers[0].Name != "alertname" || !r.Matchers[0].Matches("Watchdog") || r.Matchers[0].Matches("NodeDown") {
				t.Errorf("the route to %s takes %v", r.Receiver, r.Matchers)
			}
		}
		if c.Global.SMTPAuthPassword != "" {
			t.Error("the password stands in the file")
		}
	})
}

// dashboard is what the test reads of Grafana's classic format.
type dashboard struct {
	UID           string  `json:"uid"`
	Title         string  `json:"title"`
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ X, Y, W, H int }
	Targets []struct {
		Expr       string `json:"expr"`
		Datasource struct {
			UID string `json:"uid"`
		} `json:"datasource"`
	} `json:"targets"`
}

func TestDashboard(t *testing.T) {
	files(t, "cluster.json", func(t *testing.T, path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		if d.UID == "" || d.Title == "" || d.SchemaVersion == 0 {
			t.Error("not a dashboard in the classic format")
		}
		ids, queries := map[int]bool{}, parser.NewParser(parser.Options{})
		for i, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: id %d is taken", p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.Type != "row" && len(p.Targets) == 0 {
				t.Errorf("%s asks nothing", p.Title)
			}
			if q := p.GridPos; q.W < 1 || q.H < 1 || q.X+q.W > 24 {
				t.Errorf("%s stands outside of the page", p.Title)
			}
			for _, o := range d.Panels[:i] {
				a, b := p.GridPos, o.GridPos
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("%s covers %s", p.Title, o.Title)
				}
			}
			for _, q := range p.Targets {
				// Grafana puts a duration in its place.
				if _, err := queries.ParseExpr(strings.ReplaceAll(q.Expr, "$__rate_interval", "5m")); err != nil {
					t.Errorf("%s: %s: %v", p.Title, q.Expr, err)
				}
				if q.Datasource.UID != "prometheus" {
					t.Errorf("%s asks %q, which datasources.yaml does not name", p.Title, q.Datasource.UID)
				}
			}
		}
	})
}

// A file that a configuration names must be in the service's container, and under that name.
func TestMounts(t *testing.T) {
	files(t, "compose.yaml", func(t *testing.T, path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range strings.Fields(string(data)) {
			if file, ok := strings.CutPrefix(flag, "--config.file="); ok && !strings.Contains(string(data), "target: "+file+"\n") {
				t.Errorf("%s is not mounted", file)
			}
			if page, ok := strings.CutPrefix(flag, "--web.external-url="); ok {
				u, err := url.Parse(page)
				if err != nil {
					t.Fatal(err)
				}
				if want := "--web.route-prefix=" + strings.TrimSuffix(u.Path, "/"); !strings.Contains(string(data), want+"\n") {
					t.Errorf("%s without %s", flag, want)
				}
			}
		}
	})
}
