package stack

import (
	"fmt"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// The configuration of Prometheus, as far as skep writes it. Field names are Prometheus'.
type (
	promConfig struct {
		Global   promGlobal    `yaml:"global"`
		Storage  promStorage   `yaml:"storage"`
		Rules    []string      `yaml:"rule_files"`
		Alerting *promAlerting `yaml:"alerting,omitempty"`
		Scrapes  []promScrape  `yaml:"scrape_configs"`
	}
	promGlobal struct {
		Interval   string            `yaml:"scrape_interval"`
		Evaluation string            `yaml:"evaluation_interval"`
		Labels     map[string]string `yaml:"external_labels"`
	}
	promStorage struct {
		TSDB promTSDB `yaml:"tsdb"`
	}
	promTSDB struct {
		Retention promRetention `yaml:"retention"`
	}
	promRetention struct {
		Time string `yaml:"time"`
		Size string `yaml:"size"`
	}
	promAlerting struct {
		Managers []promManager `yaml:"alertmanagers"`
	}
	promManager struct {
		PathPrefix string       `yaml:"path_prefix"`
		Static     []promStatic `yaml:"static_configs"`
	}
	promScrape struct {
		Job     string        `yaml:"job_name"`
		Path    string        `yaml:"metrics_path,omitempty"`
		Static  []promStatic  `yaml:"static_configs,omitempty"`
		Swarm   []promSwarm   `yaml:"dockerswarm_sd_configs,omitempty"`
		Relabel []promRelabel `yaml:"relabel_configs,omitempty"`
	}
	promStatic struct {
		Targets []string          `yaml:"targets"`
		Labels  map[string]string `yaml:"labels,omitempty"`
	}
	promSwarm struct {
		Host string `yaml:"host"`
		Role string `yaml:"role"`
		Port uint16 `yaml:"port"`
	}
	promRelabel struct {
		Source      []string `yaml:"source_labels,flow"`
		Regex       string   `yaml:"regex,omitempty"`
		Action      string   `yaml:"action,omitempty"`
		Target      string   `yaml:"target_label,omitempty"`
		Replacement string   `yaml:"replacement,omitempty"`
	}
)

func prometheusConfig(c *schema.Cluster) ([]byte, error) {
	m := c.Services.Monitoring
	config := promConfig{
		Global: promGlobal{
			Interval: m.Prometheus.Interval, Evaluation: m.Prometheus.Interval,
			Labels: map[string]string{"cluster": c.Name},
		},
		Storage: promStorage{TSDB: promTSDB{Retention: promRetention(m.Prometheus.Retention)}},
		Rules:   []string{"/etc/prometheus/" + rulesFile},
		Scrapes: scrapes(c),
	}
	notes := document.Notes{
		"global/scrape_interval": "services.monitoring.prometheus.interval",
		"storage/tsdb/retention": "services.monitoring.prometheus.retention",
		"scrape_configs/0":       "Pages that know the path they live below.",
		"scrape_configs/2":       "The engine of every node, and the node itself; a node that is down stays in these lists.",
		"scrape_configs/4":       "Tasks, with the node they run on. The address on the monitoring's overlay is the one that answers.",
		"global/external_labels": "name",
	}
	if a := m.Alerts; a != nil {
		config.Alerting = &promAlerting{Managers: []promManager{{
			PathPrefix: a.Path, Static: []promStatic{{Targets: []string{"alertmanager" + address(a.Port)}}},
		}}}
		notes["alerting"] = "services.monitoring.alerts"
	}
	return document.Marshal(config, notes)
}

// scrapes are the jobs that the services name.
func scrapes(c *schema.Cluster) []promScrape {
	var jobs []promScrape
	for _, row := range c.Rows.Scrapes {
		switch row.Of {
		case "nodes":
			jobs = append(jobs, nodes(c, row))
		case "tasks":
			jobs = append(jobs, tasks(c, row))
		default:
			jobs = append(jobs, promScrape{
				Job: row.Job, Path: measures(row),
				Static: []promStatic{{Targets: []string{row.Name + address(row.Port)}, Labels: map[string]string{"node": row.Node}}},
			})
		}
	}
	return jobs
}

// measures is the path of a job where it is not Prometheus' own.
func measures(row schema.Scrape) string {
	if row.Path == "" {
		return ""
	}
	return row.Path + "/metrics"
}

// nodeLabel is the swarm label skep.node that the runbook sets, as Prometheus spells it.
const nodeLabel = "__meta_dockerswarm_node_label_skep_node"

// nodes is the job of what every node has on a port of its own.
func nodes(c *schema.Cluster, row schema.Scrape) promScrape {
	return promScrape{
		Job: row.Job, Path: measures(row),
		Swarm: []promSwarm{discovery(c, "nodes", row.Port)},
		Relabel: []promRelabel{
			{Source: []string{nodeLabel}, Target: "node"},
			// A manager may give its own address as 0.0.0.0 (moby#35437); this one it gives to the others.
			{Source: []string{"__meta_dockerswarm_node_manager_address"}, Regex: `(.+):\d+`, Target: "__address__", Replacement: "$1" + address(row.Port)},
		},
	}
}

// tasks is the job of every task of a service.
func tasks(c *schema.Cluster, row schema.Scrape) promScrape {
	return promScrape{
		Job: row.Job, Path: measures(row),
		Swarm: []promSwarm{discovery(c, "tasks", row.Port)},
		Relabel: []promRelabel{
			{
				Source: []string{"__meta_dockerswarm_service_name", "__meta_dockerswarm_task_desired_state", "__meta_dockerswarm_network_name"},
				Regex:  fmt.Sprintf("%s;running;%s", row.Name, monitoringNetwork), Action: "keep",
			},
			// A service with published ports is listed once for each of them.
			{Source: []string{"__address__"}, Regex: `(.+):\d+`, Target: "__address__", Replacement: "$1" + address(row.Port)},
			{Source: []string{nodeLabel}, Target: "node"},
		},
	}
}

func discovery(c *schema.Cluster, role string, port uint16) promSwarm {
	return promSwarm{Host: "tcp://" + proxyHost + address(c.Services.Traefik.Proxy.Port), Role: role, Port: port}
}
