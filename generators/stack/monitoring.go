package stack

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"skep.dev/generators/engine"
	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

const (
	prometheusFile   = "prometheus.yaml"
	rulesFile        = "rules.yaml"
	alertmanagerFile = "alertmanager.yaml"
	grafanaSecret    = "grafana-admin"
	grafanaKeySecret = "grafana-secret-key"
	smtpSecret       = "smtp-password"
	watchdogSecret   = "watchdog-url"
	hostNetwork      = "host" // that of the node itself; every engine has it
)

// monitoring is Prometheus, Grafana, their exporters, and Alertmanager when somebody is to be told.
func monitoring(c *schema.Cluster) (plan, error) {
	p := newPlan("monitoring")
	for _, add := range []func(*schema.Cluster) error{
		p.addPrometheus, p.addGrafana, p.addNodeExporter, p.addCAdvisor, p.addAlertmanager,
	} {
		if err := add(c); err != nil {
			return plan{}, err
		}
	}
	return p, nil
}

func (p *plan) addPrometheus(c *schema.Cluster) error {
	m := c.Services.Monitoring
	config, err := prometheusConfig(c)
	if err != nil {
		return err
	}
	rules, err := alertRules(c)
	if err != nil {
		return err
	}
	p.addFile(prometheusFile, config)
	p.addFile(rulesFile, rules)

	s, err := newService(m.Prometheus.Image, m.Prometheus.UID, m.Prometheus.Resources)
	if err != nil {
		return err
	}
	onDuty(&s, "monitoring")
	p.notes["services/prometheus/deploy/placement"] = "The data stays on one node: services.monitoring.node"
	s.Command = []string{
		"--config.file=/etc/prometheus/" + prometheusFile,
		"--storage.tsdb.path=/prometheus",
		"--web.listen-address=" + address(m.Prometheus.Port),
		"--web.external-url=" + pageURL(c, m.Prometheus.Path),
		"--web.route-prefix=" + m.Prometheus.Path,
	}
	s.HealthCheck = health("promtool", "check", "healthy", "--url="+local(m.Prometheus.Port, m.Prometheus.Path))
	s.StopGracePeriod = seconds(60)
	p.mountFile(&s, prometheusFile, "/etc/prometheus/"+prometheusFile)
	p.mountFile(&s, rulesFile, "/etc/prometheus/"+rulesFile)
	p.mountVolume(&s, "prometheus", "/prometheus")
	p.attach(&s, apiNetwork, monitoringNetwork)
	p.project.Services["prometheus"] = s
	return nil
}

func (p *plan) addNodeExporter(c *schema.Cluster) error {
	e := c.Services.Monitoring.NodeExporter
	s, err := newService(e.Image, e.UID, e.Resources)
	if err != nil {
		return err
	}
	global(&s)
	s.Command = []string{
		"--path.rootfs=/host",
		"--path.procfs=/host/proc",
		"--path.sysfs=/host/sys",
		"--web.listen-address=" + address(e.Port),
		"--collector.textfile.directory=/host" + engine.Measures,
		// Only root may look into the engine's directory: each volume mounted there would look like a dead disk.
		fmt.Sprintf("--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|%s/[^/]+)($|/)", c.Engine.Directory[1:]),
		// Each container has one; they come and go.
		"--collector.netdev.device-exclude=^(lo|veth.*)$",
		"--collector.netclass.ignored-devices=^(lo|veth.*)$",
	}
	for _, collector := range slices.Sorted(maps.Keys(c.Rows.Collectors)) {
		s.Command = append(s.Command, "--collector."+collector)
	}
	bindNode(&s, "/", "/host")
	s.HealthCheck = healthGet(e.Port, "/")
	// The kernel shows the network, and what conntrack follows, of who asks: in a network of its own that would be the container's.
	p.attach(&s, hostNetwork)
	p.notes["services/node-exporter"] = "On every node, as nobody, in the node's own network: services.monitoring.nodeExporter"
	p.project.Services["node-exporter"] = s
	return nil
}

func (p *plan) addCAdvisor(c *schema.Cluster) error {
	e := c.Services.Monitoring.CAdvisor
	s, err := newService(e.Image, e.UID, e.Resources)
	if err != nil {
		return err
	}
	global(&s)
	s.Hostname = "{{.Node.Hostname}}"
	s.Command = []string{
		"-port=" + strconv.Itoa(int(e.Port)),
		"-docker=unix:///rootfs/run/docker.sock",
		"-containerd=/rootfs/run/containerd/containerd.sock",
		"-docker_only=true",
		"-housekeeping_interval=15s",
		"-store_container_labels=false",
		"-whitelisted_container_labels=com.docker.stack.namespace,com.docker.swarm.service.name,com.docker.swarm.task.name",
	}
	bindNode(&s, "/", "/rootfs")
	bindNode(&s, "/sys", "/sys")
	s.HealthCheck = healthGet(e.Port, "/healthz")
	p.attach(&s, monitoringNetwork)
	p.notes["services/cadvisor"] = "On every node: services.monitoring.cadvisor\n" +
		"Only the engine's socket knows the names of services, and with the containerd image store of engine 29 cAdvisor\n" +
		"wants containerd's as well (google/cadvisor#3772). They make this task as strong as root on its node, so it has\n" +
		"no capability, no published port and no network but the monitoring's. They are reached below /rootfs: a bind of\n" +
		"a socket that is not there would keep the task from starting."
	p.project.Services["cadvisor"] = s
	return nil
}

func (p *plan) addAlertmanager(c *schema.Cluster) error {
	a := c.Services.Monitoring.Alerts
	if a == nil {
		return nil
	}
	config, err := alertmanagerConfig(a)
	if err != nil {
		return err
	}
	p.addFile(alertmanagerFile, config)
	s, err := newService(a.Image, a.UID, a.Resources)
	if err != nil {
		return err
	}
	onDuty(&s, "monitoring")
	s.Command = []string{
		"--config.file=/etc/alertmanager/" + alertmanagerFile,
		"--storage.path=/alertmanager",
		"--web.listen-address=" + address(a.Port),
		"--web.external-url=" + pageURL(c, a.Path),
		"--web.route-prefix=" + a.Path,
		"--cluster.listen-address=", // one instance: no gossip
	}
	s.HealthCheck = healthGet(a.Port, a.Path+"/-/healthy")
	p.mountFile(&s, alertmanagerFile, "/etc/alertmanager/"+alertmanagerFile)
	if a.Email != nil && a.Email.User != "" {
		p.mountSecret(c, &s, smtpSecret)
	}
	if a.Watchdog != nil {
		p.mountSecret(c, &s, watchdogSecret)
	}
	p.mountVolume(&s, "alertmanager", "/alertmanager")
	p.attach(&s, monitoringNetwork)
	p.notes["services/alertmanager"] = "services.monitoring.alerts"
	p.project.Services["alertmanager"] = s
	return nil
}

// pageURL is the public address of a page below a path.
func pageURL(c *schema.Cluster, path string) string { return "https://" + c.Domain + path + "/" }

func local(port uint16, path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }

// addMonitoring adds the pages of the monitoring. Grafana has a login of its own; the others have none, so they get
// Traefik's, and only operators' addresses may try it.
func (d *dynamicConfig) addMonitoring(c *schema.Cluster, notes document.Notes) {
	m := c.Services.Monitoring
	guard := []string{managementOnly, adminLogin, compress}
	grafanaGuard := []string{compress}
	if _, ok := c.Rows.Middlewares.Named(grafanaVisitors); ok {
		grafanaGuard = []string{grafanaVisitors, compress}
	}
	d.page(c, "grafana", m.Grafana.Path, m.Grafana.Port, "/api/health", grafanaGuard)
	d.page(c, "prometheus", m.Prometheus.Path, m.Prometheus.Port, "/-/healthy", guard)
	// Grafana asks nobody for a login there, and names its data sources (grafana/grafana#118173). Prometheus asks it directly.
	grafana := d.HTTP.Routers["grafana"]
	grafana.Rule += fmt.Sprintf(" && !Path(`%s/metrics`) && !PathPrefix(`%[1]s/metrics/`)", m.Grafana.Path)
	d.HTTP.Routers["grafana"] = grafana
	notes["http/routers/grafana"] = "services.monitoring; Grafana's own metrics want no login, so they are not for the outside."
	if a := m.Alerts; a != nil {
		d.page(c, "alertmanager", a.Path, a.Port, "/-/healthy", guard)
		notes["http/routers/alertmanager"] = "services.monitoring.alerts"
	}
}
