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
  monitoring: {alerts: {webhook: {url: "http://192.0.2.9/"}}}
  nfs: {server: w1, path: /srv/share}
  s3: {}
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

// The clock begins at 0, so an end is the seconds from then on: 14 days are 1209600.
const fortnight = 1209600

var alertCases = []alertCase{
	{"CertificateExpires", "14 days and a half", "10m", measured("docker-api-server", "/etc/docker/tls/ca.pem", fortnight+43200), "2h", nil},
	{"CertificateExpires", "13 days", "10m", measured("swarm-node", "m1", fortnight-86400), "2h", []string{"swarm-node on m1 expires in 13 days: m1."}},
	{"CertificateExpires", "expired", "10m", measured("vpn-revocations", "/x/crl.pem", -86400), "2h", []string{"vpn-revocations on m1 expires in -1 days: /x/crl.pem."}},
	{"CertificateExpires", "a client is another's", "10m", measured("vpn-client", "alice", 0), "2h", nil},
	{"ClientCertificateExpires", "two managers, one page", "10m",
		measured("docker-api-client", "nuvla", fortnight-86400) + strings.ReplaceAll(measured("docker-api-client", "nuvla", fortnight-86400), "m1", "m2"), "2h",
		[]string{"What nuvla holds (docker-api-client) expires in 13 days: hand the next one over."}},
	{"ClientCertificateExpires", "a manager that was away", "10m",
		measured("docker-api-client", "nuvla", fortnight-86400) + strings.ReplaceAll(measured("docker-api-client", "nuvla", 90*86400), "m1", "m2"), "2h", nil},
	{"ClientCertificateExpires", "nobody asks for a server", "10m", measured("docker-api-server", "x", 0), "2h", nil},
	// Traefik renews 30 days before the end and goes on measuring the old certificate (traefik#8606).
	{"RouteCertificateExpires", "after a renewal", "6h", route("1", "2592000x400") + route("2", "_x8 10368000x392"), "30d", nil},
	{"RouteCertificateExpires", "renewal fails", "6h", route("1", "2592000x400"), "17d", []string{"The certificate of site.example.org (site.example.org,s3.example.org) on m1 expires in 13 days."}},
	{"RouteCertificateExpires", "the other node's is fresh", "6h", route("1", "864000x400") + strings.ReplaceAll(route("2", "10368000x400"), "m1", "w1"), "1d",
		[]string{"The certificate of site.example.org (site.example.org,s3.example.org) on m1 expires in 9 days."}},
	{"CertificateNotIssued", "never issued", "1m", traefik, "2h", []string{"Traefik on m1 has no certificate for site.example.org: visitors are warned of a forgery."}},
	{"CertificateNotIssued", "another name's", "1m", traefik + strings.ReplaceAll(route("1", "9999999x200"), "site.example", "site-example"), "2h",
		[]string{"Traefik on m1 has no certificate for site.example.org: visitors are warned of a forgery."}},
	{"CertificateNotIssued", "issued", "1m", traefik + route("1", "9999999x200"), "2h", nil},
	{"CertificateNotIssued", "Traefik is down", "1m", strings.ReplaceAll(traefik, "1x", "0x"), "2h", nil},
	{"CertificateNotIssued", "within the hour", "1m", traefik, "59m", nil},
	{"WebCertificateRefused", "", "10m", `skep_certificate_trusted{node="m1",what="web",name="site.example.org"} 0x20`, "2h", []string{"Visitors of site.example.org do not believe the certificate that m1 serves."}},
	{"WebCertificateRefused", "", "10m", `skep_certificate_trusted{node="m1",what="web",name="site.example.org"} 1x20`, "2h", nil},
	{"FirewallUnsettled", "", "1m", `skep_firewall_settled{node="w1"} 0x20`, "20m", []string{"The firewall of w1 is not as it was confirmed: skep-firewall status says why."}},
	{"FirewallUnsettled", "a trial is under way", "1m", `skep_firewall_settled{node="w1"} 0x10 1x10`, "20m", nil},
	{"MeasureFailed", "", "10m", `skep_measure_failed{node="m1",what="web",name="site.example.org"} 1x20`, "2h", []string{"m1 cannot see when web expires: site.example.org."}},
	{"MeasureFailed", "Traefik was restarted", "10m", `skep_measure_failed{node="m1",what="web",name="site.example.org"} 1x2`, "2h", nil},
	{"MeasuresMissing", "the timer stopped", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0x30`, "3h", []string{missing("m1")}},
	{"MeasuresMissing", "every ten minutes", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0+600x30`, "3h", nil},
	{"MeasuresMissing", "the file is spoilt", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0+600x30` + "\n" + `node_textfile_scrape_error{node="m1",instance="a"} 1x30`, "3h", []string{missing("m1")}},
	{"MeasuresMissing", "never measured", "10m", exporter, "3h", []string{missing("m1")}},
	{"NodeDown", "", "1m", `up{job="engine",node="w1"} 0x10`, "5m", []string{"The engine of w1 does not answer."}},
	{"NodeDown", "", "1m", `up{job="engine",node="w1"} 0 1x10`, "5m", nil},
	{"NodeMissing", "", "1m", `up{job="engine",node="w1"} 1x20`, "15m", []string{"Only 1 nodes answer."}},
	{"NodeMissing", "", "1m", `up{job="engine",node="w1"} 1x20` + "\n" + `up{job="engine",node="m1"} 1x20`, "15m", nil},
	{"MemoryLow", "", "1m", memory(5), "15m", []string{"m1 uses 95 % of its memory."}},
	{"MemoryLow", "", "1m", memory(50), "15m", nil},
	{"DiskFillingUp", "falls by a tenth an hour", "10m", disk("19-1.5x60", 100), "8h", []string{"/ of m1 will be full within a day."}},
	{"DiskFillingUp", "is full", "10m", disk("0x60", 100), "8h", []string{"/ of m1 will be full within a day."}},
	{"DiskFillingUp", "is small and quiet", "10m", disk("19x60", 100), "8h", nil},
	{"ClockUnsynchronised", "", "1m", `node_timex_sync_status{node="m1"} 0x20`, "15m", []string{"The clock of m1 drifts: certificates and logs depend on it."}},
	{"ClockUnsynchronised", "", "1m", `node_timex_sync_status{node="m1"} 1x20`, "15m", nil},
	{"NoLeader", "", "1m", `swarm_manager_leader{node="m1"} 0x20`, "15m", []string{"The swarm has 0 leaders: nothing can be deployed or moved."}},
	{"NoLeader", "", "1m", `swarm_manager_leader{node="m1"} 1x20`, "15m", nil},
	{"SwarmNodeDown", "", "1m", `swarm_manager_nodes{state="down",node="m1"} 1x20`, "15m", []string{"1 nodes of the swarm are down: docker node ls names them."}},
	{"SwarmNodeDown", "", "1m", `swarm_manager_nodes{state="down",node="m1"} 0x20`, "15m", nil},
	{"TraefikMissing", "", "1m", `up{job="traefik",node="m1"} 0x20`, "15m", []string{"Only 0 Traefik tasks answer."}},
	{"TraefikMissing", "", "1m", `up{job="traefik",node="m1"} 1x20`, "15m", nil},
	{"PageDown", "", "1m", `traefik_service_server_up{service="grafana@file",instance="a"} 0x20`, "15m", []string{"grafana@file fails the health check of Traefik."}},
	{"PageDown", "", "1m", `traefik_service_server_up{service="grafana@file",instance="a"} 1x20`, "15m", nil},
	{"ExporterDown", "", "1m", `up{job="cadvisor",instance="a:1"} 0x20`, "15m", []string{"cadvisor at a:1 does not answer."}},
	{"ExporterDown", "", "1m", `up{job="engine",instance="a:1"} 0x20`, "15m", nil},
	{"ExporterMissing", "", "1m", `up{job="node-exporter",node="m1"} 1x60`, "45m", []string{"Only 1 nodes report their measures."}},
	{"ExporterMissing", "", "1m", `up{job="node-exporter",node="m1"} 1x60` + "\n" + `up{job="node-exporter",node="w1"} 1x60`, "45m", nil},
	{"PrometheusConfigRefused", "", "1m", `prometheus_config_last_reload_successful 0x20`, "15m", []string{"Prometheus runs with an old configuration."}},
	{"PrometheusConfigRefused", "", "1m", `prometheus_config_last_reload_successful 1x20`, "15m", nil},
	{"AlertsUndelivered", "", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 0+1x40`, "35m", []string{"Alertmanager cannot reach webhook."}},
	{"AlertsUndelivered", "", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 1x40`, "35m", nil},
	{"NFSMountDead", "", "1m", `node_mountstats_nfs_operations_major_timeouts_total{node="m1",export="w1:/srv/share"} 0+1x20`, "15m", []string{"The server of w1:/srv/share does not answer m1."}},
	{"NFSMountDead", "", "1m", `node_mountstats_nfs_operations_major_timeouts_total{node="m1",export="w1:/srv/share"} 3x20`, "15m", nil},
	{"S3Down", "", "1m", `traefik_service_server_up{service="s3@file"} 0x20`, "15m", []string{"S3 fails the health check of Traefik."}},
	{"S3Down", "", "1m", `traefik_service_server_up{service="s3@file"} 1x20`, "15m", nil},
}

const (
	traefik  = `up{job="traefik",instance="m1",node="m1"} 1x200` + "\n"
	exporter = `up{job="node-exporter",instance="a",node="m1"} 1x200` + "\n"
)

func measured(what, name string, end int) string {
	return fmt.Sprintf("skep_certificate_not_after_seconds{node=\"m1\",what=%q,name=%q} %dx200\n", what, name, end)
}

func route(serial, values string) string {
	return fmt.Sprintf("traefik_tls_certs_not_after{instance=\"m1\",node=\"m1\",cn=\"site.example.org\",sans=\"site.example.org,s3.example.org\",serial=%q} %s\n", serial, values)
}

func missing(node string) string {
	return node + " has not measured for hours what expires and whether its firewall is settled: systemctl status skep-certificates."
}

func memory(available int) string {
	return fmt.Sprintf("node_memory_MemAvailable_bytes{node=\"m1\"} %dx20\nnode_memory_MemTotal_bytes{node=\"m1\"} 100x20\n", available)
}

func disk(available string, size int) string {
	const on = `{node="m1",mountpoint="/",fstype="ext4"} `
	return "node_filesystem_avail_bytes" + on + available + "\nnode_filesystem_size_bytes" + on + fmt.Sprint(size) + "x60\n"
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
			// The disks of shares have judges of their own.
			if strings.HasSuffix(r.Name(), "Full") {
				continue
			}
			if !speaks[r.Name()] || !silent[r.Name()] {
				t.Errorf("%s: want a case in which it speaks, and one in which it does not", r.Name())
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
