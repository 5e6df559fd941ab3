package prometheus

import (
	"fmt"
	"strings"
)

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
	{"FirewallUnsettled", "", "1m", `skep_firewall_settled{node="w1"} 0x20`, "20m", []string{"The firewall of w1 is not as it was confirmed."}},
	{"FirewallUnsettled", "a trial is under way", "1m", `skep_firewall_settled{node="w1"} 0x10 1x10`, "20m", nil},
	{"MeasureFailed", "", "10m", `skep_measure_failed{node="m1",what="web",name="site.example.org"} 1x20`, "2h", []string{"m1 cannot see when web expires: site.example.org."}},
	{"MeasureFailed", "Traefik was restarted", "10m", `skep_measure_failed{node="m1",what="web",name="site.example.org"} 1x2`, "2h", nil},
	{"MeasuresMissing", "the timer stopped", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0x30`, "3h", []string{missing("m1")}},
	{"MeasuresMissing", "every ten minutes", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0+600x30`, "3h", nil},
	{"MeasuresMissing", "the file is spoilt", "10m", exporter + `skep_measured_seconds{node="m1",instance="a"} 0+600x30` + "\n" + `node_textfile_scrape_error{node="m1",instance="a"} 1x30`, "3h", []string{missing("m1")}},
	{"MeasuresMissing", "never measured", "10m", exporter, "3h", []string{missing("m1")}},
	{"NodeDown", "", "1m", `up{job="engine",node="w1"} 0x10`, "5m", []string{"The engine of w1 does not answer."}},
	{"NodeDown", "", "1m", `up{job="engine",node="w1"} 0 1x10`, "5m", nil},
	{"NodeMissing", "", "1m", `up{job="engine",node="w1"} 1x20`, "15m", []string{"Only 1 of m1, w1 answer."}},
	{"NodeMissing", "", "1m", `up{job="engine",node="w1"} 1x20` + "\n" + `up{job="engine",node="m1"} 1x20`, "15m", nil},
	{"MemoryLow", "", "1m", memory(5), "15m", []string{"m1 uses 95 % of its memory."}},
	{"MemoryLow", "", "1m", memory(50), "15m", nil},
	{"DiskFillingUp", "falls by a tenth an hour", "10m", disk("19-1.5x60", 100), "8h", []string{"/ of m1 will be full within a day."}},
	{"DiskFillingUp", "is full", "10m", disk("0x60", 100), "8h", []string{"/ of m1 will be full within a day."}},
	{"DiskFull", "nothing left", "1m", disk("0x60", 100), "15m", []string{"/ of m1 has 0 % left."}},
	{"DiskFull", "almost, and quiet", "1m", disk("4x60", 100), "15m", []string{"/ of m1 has 4 % left."}},
	{"DiskFull", "room", "1m", disk("6x60", 100), "15m", nil},
	{"DiskFull", "for a moment", "1m", disk("0x3 50x60", 100), "15m", nil},
	{"DiskFull", "the share of another machine", "1m", strings.ReplaceAll(disk("0x60", 100), "ext4", "nfs4"), "15m", nil},
	{"InodesLow", "", "1m", inodes(1), "15m", []string{"/ of m1 has inodes for 1 % more files."}},
	{"InodesLow", "", "1m", inodes(50), "15m", nil},
	{"InodesLow", "a file system that does not count them", "1m", strings.ReplaceAll(inodes(0), " 100x", " 0x"), "15m", nil},
	{"DiskReadOnly", "remounted", "10m", readOnly("0x6 1x60"), "8h", []string{"/ of m1 has become read-only."}},
	{"DiskReadOnly", "meant to be so", "10m", readOnly("1x60"), "8h", nil},
	{"DiskReadOnly", "writable", "10m", readOnly("0x60"), "8h", nil},
	{"NodeRebooted", "", "1m", `node_boot_time_seconds{node="m1"} 0x60`, "10m", []string{"m1 booted 10m 0s ago."}},
	{"NodeRebooted", "long ago", "1m", `node_boot_time_seconds{node="m1"} 0x60`, "30m", nil},
	{"OutOfMemory", "", "1m", `node_vmstat_oom_kill{node="m1"} 3x10 4x30`, "15m", []string{"The kernel of m1 killed 1 processes for want of memory."}},
	{"OutOfMemory", "earlier ones", "1m", `node_vmstat_oom_kill{node="m1"} 3x60`, "30m", nil},
	{"OutOfMemory", "a reboot counts from 0", "1m", `node_vmstat_oom_kill{node="m1"} 3x10 0x30`, "30m", nil},
	{"ClockWrong", "", "1m", `node_time_seconds{node="m1"} 30+60x20`, "15m", []string{"The clock of m1 is 30s off that of Prometheus."}},
	{"ClockWrong", "behind", "1m", `node_time_seconds{node="m1"} -30+60x20`, "15m", []string{"The clock of m1 is 30s off that of Prometheus."}},
	{"ClockWrong", "", "1m", `node_time_seconds{node="m1"} 0.2+60x20`, "15m", nil},
	{"ConntrackFull", "", "1m", conntrack(95), "15m", []string{"m1 follows 95 % of the connections that it can."}},
	{"ConntrackFull", "", "1m", conntrack(50), "15m", nil},
	{"NetworkErrors", "", "1m", network("0+60x60"), "45m", []string{"More than one in a hundred packets of m1 fails on eth0."}},
	{"NetworkErrors", "a few", "1m", network("0+6x60"), "45m", nil},
	{"NetworkErrors", "a quiet device", "1m", strings.ReplaceAll(network("0x60"), "0+1200x60", "0x60"), "45m", nil},
	{"DiskFillingUp", "is small and quiet", "10m", disk("19x60", 100), "8h", nil},
	{"ClockUnsynchronised", "", "1m", `node_timex_sync_status{node="m1"} 0x20`, "15m", []string{"The clock of m1 is set by nobody."}},
	{"ClockUnsynchronised", "", "1m", `node_timex_sync_status{node="m1"} 1x20`, "15m", nil},
	{"TasksMissing", "two managers, one page", "10m", `skep_service_tasks_missing{node="m1",name="app_web"} 2x20` + "\n" + `skep_service_tasks_missing{node="m2",name="app_web"} 2x20`, "1h",
		[]string{"The service app_web runs 2 tasks fewer than it should."}},
	{"TasksMissing", "a deployment", "10m", `skep_service_tasks_missing{node="m1",name="app_web"} 1x1 _x20`, "1h", nil},
	{"TaskRestarting", "", "1m", started("app_web.1", 8), "10m", []string{"app_web.1 was started 8 times on w1 within 15 minutes."}},
	{"TaskRestarting", "eight replicas", "1m", started("app_web.1", 1) + started("app_web.2", 1) + started("app_web.3", 1) + started("app_web.4", 1) +
		started("app_web.5", 1) + started("app_web.6", 1) + started("app_web.7", 1) + started("app_web.8", 1), "10m", nil},
	{"CollectorFailed", "", "1m", `node_scrape_collector_success{node="m1",collector="filesystem"} 0x60`, "45m", []string{"node-exporter on m1 cannot measure: filesystem."}},
	{"CollectorFailed", "nothing to measure", "1m", `node_scrape_collector_success{node="m1",collector="infiniband"} 0x60`, "45m", nil},
	{"HistoryCut", "", "10m", `prometheus_tsdb_size_retentions_total 0x6 1x60`, "3h", []string{"Prometheus on m1 keeps less than 15d."}},
	{"HistoryCut", "", "10m", `prometheus_tsdb_size_retentions_total 1x60`, "3h", nil},
	{"Watchdog", "all is well", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 1x60`, "40m", []string{"Prometheus on m1 is alive, and Alertmanager delivers."}},
	{"Watchdog", "nothing is delivered", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 0+1x60`, "40m", nil},
	{"ShareUnmounted", "neither", "1m", served("w1", 1), "15m", []string{"/srv/share of w1 has no disk: nobody reaches the files.", "/srv/shop of w1 has no disk: nobody reaches the files."}},
	{"ShareUnmounted", "the first", "1m", served("w1", 1, "/srv/shop"), "15m", []string{"/srv/share of w1 has no disk: nobody reaches the files."}},
	{"ShareUnmounted", "one beside it", "1m", served("w1", 1, "/srv/share"), "15m", []string{"/srv/shop of w1 has no disk: nobody reaches the files."}},
	{"ShareUnmounted", "both are there", "1m", served("w1", 1, "/srv/share", "/srv/shop"), "15m", nil},
	{"ShareUnmounted", "disks of another node", "1m", served("m1", 1, "/srv/share", "/srv/shop") + served("w1", 1), "15m",
		[]string{"/srv/share of w1 has no disk: nobody reaches the files.", "/srv/shop of w1 has no disk: nobody reaches the files."}},
	{"ShareUnmounted", "nobody looks", "1m", served("w1", 0), "15m", nil},
	{"NoLeader", "", "1m", `swarm_manager_leader{node="m1"} 0x20`, "15m", []string{"The swarm has 0 leaders: nothing can be deployed or moved."}},
	{"NoLeader", "", "1m", `swarm_manager_leader{node="m1"} 1x20`, "15m", nil},
	{"SwarmNodeDown", "", "1m", `swarm_manager_nodes{state="down",node="m1"} 1x20`, "15m", []string{"1 nodes of the swarm are down."}},
	{"SwarmNodeDown", "", "1m", `swarm_manager_nodes{state="down",node="m1"} 0x20`, "15m", nil},
	{"TraefikMissing", "", "1m", `up{job="traefik",node="m1"} 0x20`, "15m", []string{"Only 0 Traefik tasks answer, and m1 should have one."}},
	{"TraefikMissing", "", "1m", `up{job="traefik",node="m1"} 1x20`, "15m", nil},
	{"PageDown", "", "1m", `traefik_service_server_up{service="grafana@file",node="m1"} 0x20`, "15m", []string{"grafana@file fails the health check of Traefik on m1."}},
	{"PageDown", "", "1m", `traefik_service_server_up{service="grafana@file",instance="a"} 1x20`, "15m", nil},
	{"ExporterDown", "", "1m", `up{job="cadvisor",node="w1"} 0x20`, "15m", []string{"cadvisor on w1 does not answer."}},
	{"ExporterDown", "", "1m", `up{job="engine",instance="a:1"} 0x20`, "15m", nil},
	{"ExporterMissing", "", "1m", `up{job="engine",node="m1"} 1x60` + "\n" + `up{job="cadvisor",node="w1"} 1x60`, "45m", []string{"cAdvisor does not run on m1."}},
	{"ExporterMissing", "", "1m", `up{job="engine",node="m1"} 1x60` + "\n" + `up{job="cadvisor",node="m1"} 1x60`, "45m", nil},
	{"ExporterMissing", "the node is down", "1m", `up{job="engine",node="m1"} 0x60`, "45m", nil},
	{"AlertsUndelivered", "", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 0+1x40`, "35m", []string{"Alertmanager on m1 cannot reach webhook."}},
	{"AlertsUndelivered", "", "1m", `alertmanager_notifications_failed_total{integration="webhook"} 1x40`, "35m", nil},
	{"NFSMountDead", "", "1m", `node_mountstats_nfs_operations_major_timeouts_total{node="m1",export="w1:/srv/share"} 0+1x20`, "15m", []string{"The server of w1:/srv/share does not answer m1."}},
	{"NFSMountDead", "", "1m", `node_mountstats_nfs_operations_major_timeouts_total{node="m1",export="w1:/srv/share"} 3x20`, "15m", nil},
	{"S3Down", "", "1m", `traefik_service_server_up{service="s3@file",node="m1"} 0x20`, "15m", []string{"S3 on w1 fails the health check of Traefik on m1."}},
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
	return node + " has not measured for hours what expires and whether its firewall is settled."
}

// served is a node whose exporter answers or not, and says that disks are mounted.
func served(node string, up int, mountpoints ...string) string {
	out := fmt.Sprintf("up{job=\"node-exporter\",node=%q} %dx20\n", node, up)
	for _, m := range mountpoints {
		out += fmt.Sprintf("node_filesystem_size_bytes{node=%q,fstype=\"xfs\",mountpoint=%q} 9x20\n", node, m)
	}
	return out
}

func memory(available int) string {
	return fmt.Sprintf("node_memory_MemAvailable_bytes{node=\"m1\"} %dx20\nnode_memory_MemTotal_bytes{node=\"m1\"} 100x20\n", available)
}

func disk(available string, size int) string {
	const on = `{node="m1",mountpoint="/",fstype="ext4"} `
	return "node_filesystem_avail_bytes" + on + available + "\nnode_filesystem_size_bytes" + on + fmt.Sprint(size) + "x60\n"
}

func inodes(free int) string {
	const on = `{node="m1",mountpoint="/",fstype="ext4"} `
	return fmt.Sprintf("node_filesystem_files_free%s%dx60\nnode_filesystem_files%[1]s100x60\n", on, free)
}

func readOnly(values string) string {
	return `node_filesystem_readonly{node="m1",mountpoint="/",fstype="ext4",device="/dev/sda1"} ` + values
}

func conntrack(entries int) string {
	return fmt.Sprintf("node_nf_conntrack_entries{node=\"m1\"} %dx20\nnode_nf_conntrack_entries_limit{node=\"m1\"} 100x20\n", entries)
}

func network(errors string) string {
	const on = `{node="m1",device="eth0"} `
	return "node_network_receive_errs_total" + on + errors + "\nnode_network_transmit_errs_total" + on + "0x60\n" +
		"node_network_receive_packets_total" + on + "0+1200x60\nnode_network_transmit_packets_total" + on + "0+1200x60\n"
}

// started are as many containers of a task, one after the other.
func started(task string, containers int) string {
	var b strings.Builder
	for i := range containers {
		fmt.Fprintf(&b, "container_start_time_seconds{node=\"w1\",id=\"/%s%d\",container_label_com_docker_swarm_task_name=\"%[1]s.x%[2]dq\"} _x%[2]d 1x1 _x20\n", task, i)
	}
	return b.String()
}
