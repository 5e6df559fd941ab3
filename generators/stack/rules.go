package stack

import (
	"fmt"
	"path"
	"strings"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// Alert rules, as far as skep writes them. Field names are Prometheus'.
type (
	ruleFile struct {
		Groups []ruleGroup `yaml:"groups"`
	}
	ruleGroup struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	rule struct {
		Alert       string          `yaml:"alert"`
		Expr        string          `yaml:"expr"`
		For         string          `yaml:"for"`
		Labels      ruleLabels      `yaml:"labels"`
		Annotations ruleAnnotations `yaml:"annotations"`
	}
	ruleLabels struct {
		Severity string `yaml:"severity"`
	}
	ruleAnnotations struct {
		Summary string `yaml:"summary"`
	}
)

const (
	critical = "critical" // somebody should look now
	warning  = "warning"  // somebody should look today
)

func alert(name, severity, after, summary, expr string, args ...int) rule {
	for _, n := range args {
		expr = strings.Replace(expr, "%d", fmt.Sprint(n), 1)
	}
	return rule{Alert: name, Expr: expr, For: after, Labels: ruleLabels{severity}, Annotations: ruleAnnotations{summary}}
}

func alertRules(c *schema.Cluster) ([]byte, error) {
	file := ruleFile{Groups: []ruleGroup{nodeRules(c), swarmRules(c), traefikRules(c), monitoringRules(c), expiryRules(c)}}
	notes := document.Notes{
		"groups/0/rules/0/for":  "services.monitoring.thresholds.silence",
		"groups/0/rules/1/expr": "nodes",
		"groups/0/rules/2/expr": "services.monitoring.thresholds.memory",
		"groups/0/rules/3/expr": "services.monitoring.thresholds.disk",
		"groups/2/rules/0/expr": "services.traefik.nodes",
		"groups/4":              "services.monitoring.thresholds.certificate, services.traefik.certificate",
	}
	if storage := storageRules(c); len(storage.Rules) > 0 {
		notes[fmt.Sprintf("groups/%d", len(file.Groups))] = "services.nfs, services.s3"
		file.Groups = append(file.Groups, storage)
	}
	return document.Marshal(file, notes)
}

func nodeRules(c *schema.Cluster) ruleGroup {
	t := c.Services.Monitoring.Thresholds
	const filesystems = `{fstype!~"tmpfs|overlay|squashfs|nfs.*"}`
	return ruleGroup{"nodes", []rule{
		alert("NodeDown", critical, t.Silence, "The engine of {{ $labels.node }} does not answer.",
			`up{job="engine"} == 0`),
		alert("NodeMissing", critical, "5m", "Only {{ $value }} nodes answer.",
			`(count(up{job="engine"} == 1) or vector(0)) < %d`, len(c.Nodes)),
		alert("MemoryLow", warning, "10m", "{{ $labels.node }} uses {{ $value | humanize }} % of its memory.",
			`100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) > %d`, t.Memory),
		alert("DiskFillingUp", warning, "30m", "{{ $labels.mountpoint }} of {{ $labels.node }} will be full within a day.",
			"100 * node_filesystem_avail_bytes"+filesystems+" / node_filesystem_size_bytes"+filesystems+" < %d\n"+
				"and predict_linear(node_filesystem_avail_bytes"+filesystems+"[6h], 86400) <= 0", t.Disk),
		alert("ClockUnsynchronised", warning, "10m", "The clock of {{ $labels.node }} drifts: certificates and logs depend on it.",
			`node_timex_sync_status == 0`),
	}}
}

func swarmRules(c *schema.Cluster) ruleGroup {
	return ruleGroup{"swarm", []rule{
		alert("NoLeader", critical, "2m", "The swarm has {{ $value }} leaders: nothing can be deployed or moved.",
			`sum(swarm_manager_leader) != 1`),
		alert("SwarmNodeDown", critical, c.Services.Monitoring.Thresholds.Silence, "{{ $value }} nodes of the swarm are down: docker node ls names them.",
			`max(swarm_manager_nodes{state="down"}) > 0`),
	}}
}

func traefikRules(c *schema.Cluster) ruleGroup {
	return ruleGroup{"traefik", []rule{
		alert("TraefikMissing", critical, "2m", "Only {{ $value }} Traefik tasks answer.",
			`(count(up{job="traefik"} == 1) or vector(0)) < %d`, len(c.Services.Traefik.Nodes)),
		alert("PageDown", warning, "5m", "{{ $labels.service }} fails the health check of Traefik.",
			`min by (service) (traefik_service_server_up{service!="s3@file"}) == 0`),
	}}
}

func monitoringRules(c *schema.Cluster) ruleGroup {
	group := ruleGroup{"monitoring", []rule{
		alert("ExporterDown", warning, "5m", "{{ $labels.job }} at {{ $labels.instance }} does not answer.",
			`up{job!="engine"} == 0`),
		alert("ExporterMissing", warning, "15m", "Only {{ $value }} nodes report their measures.",
			`(count(up{job="node-exporter"} == 1) or vector(0)) < %d`, len(c.Nodes)),
		alert("PrometheusConfigRefused", warning, "10m", "Prometheus runs with an old configuration.",
			`prometheus_config_last_reload_successful == 0`),
	}}
	if c.Services.Monitoring.Alerts != nil {
		group.Rules = append(group.Rules, alert("AlertsUndelivered", warning, "15m", "Alertmanager cannot reach {{ $labels.integration }}.",
			`sum by (integration) (rate(alertmanager_notifications_failed_total[10m])) > 0`))
	}
	return group
}

func storageRules(c *schema.Cluster) ruleGroup {
	group := ruleGroup{Name: "storage"}
	disk := c.Services.Monitoring.Thresholds.Disk
	if n := c.Services.NFS; n != nil {
		group.Rules = append(group.Rules,
			full("ShareFull", "The disk of the NFS share", n.Server, mounts(n.Path, n.Filesystem), disk),
			alert("NFSMountDead", critical, "1m", "The server of {{ $labels.export }} does not answer {{ $labels.node }}.",
				`sum by (node, export) (increase(node_mountstats_nfs_operations_major_timeouts_total[10m])) > 0`))
	}
	if n := c.Services.NFS; n != nil && n.Filesystem == "own" {
		group.Rules = append(group.Rules, unmounted("ShareUnmounted", n.Server, n.Path))
	}
	if s := c.Services.S3; s != nil {
		if n := c.Services.NFS; n == nil || n.Path != s.Path {
			group.Rules = append(group.Rules, full("ObjectStoreFull", "The disk of the object storage", s.Node, mounts(s.Path, s.Filesystem), disk))
			if s.Filesystem == "own" {
				group.Rules = append(group.Rules, unmounted("ObjectStoreUnmounted", s.Node, s.Path))
			}
		}
		group.Rules = append(group.Rules, alert("S3Down", critical, "2m", "S3 fails the health check of Traefik.",
			`min(traefik_service_server_up{service="s3@file"}) == 0`))
	}
	return group
}

// onDisk selects the file systems of a node's disks.
func onDisk(node, mountpoints string) string {
	return fmt.Sprintf(`{node=%q,fstype!~"tmpfs|overlay|nfs.*",mountpoint=~"%s"}`, node, mountpoints)
}

// mounts returns the directory and those above it, the deepest first: any of them may be the mount point of its file
// system, unless that is its own.
func mounts(directory, filesystem string) []string {
	if filesystem == "own" {
		return []string{directory}
	}
	var all []string
	for d := directory; d != "/"; d = path.Dir(d) {
		all = append(all, d)
	}
	return append(all, "/")
}

// full watches the file system that holds a directory: of its possible mount points the deepest that is one.
func full(name, what, node string, mounts []string, percent int) rule {
	var terms []string
	for i, m := range mounts {
		at := onDisk(node, m)
		term := fmt.Sprintf("100 * node_filesystem_avail_bytes%s / node_filesystem_size_bytes%[1]s < %d", at, percent)
		if i > 0 {
			term = "(" + term + ") unless on (node) node_filesystem_size_bytes" + onDisk(node, strings.Join(mounts[:i], "|"))
		}
		terms = append(terms, term)
	}
	return alert(name, critical, "10m", what+" ({{ $labels.mountpoint }} of {{ $labels.node }}) has {{ $value | humanize }} % left.", strings.Join(terms, "\nor "))
}

// unmounted watches the mount point of a file system of its own.
func unmounted(name, node, mountpoint string) rule {
	return alert(name, critical, "5m", mountpoint+" of {{ $labels.node }} has no disk: nobody reaches the files.",
		fmt.Sprintf(`up{job="node-exporter",node=%q} == 1 unless on (node) node_filesystem_size_bytes%s`, node, onDisk(node, mountpoint)))
}
