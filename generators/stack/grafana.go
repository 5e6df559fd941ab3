package stack

import (
	"embed"

	"skep.dev/generators/artifact"
	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

const (
	sourcesFile      = "datasources.yaml"
	providersFile    = "dashboards.yaml"
	dashboardFile    = "cluster.json"
	grafanaProvision = "/etc/grafana/provisioning/"
	grafanaBoards    = "/etc/grafana/dashboards"
)

// The dashboard is in Grafana's classic format: 13 refuses the newer one in provisioned files (grafana#122663).
//
//go:embed cluster.json
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/stack", Files: embedded}

// Grafana's provisioning files, as far as skep writes them.
type (
	grafanaSources struct {
		Version int             `yaml:"apiVersion"`
		Sources []grafanaSource `yaml:"datasources"`
	}
	grafanaSource struct {
		Name      string          `yaml:"name"`
		UID       string          `yaml:"uid"`
		Type      string          `yaml:"type"`
		Access    string          `yaml:"access"`
		URL       string          `yaml:"url"`
		IsDefault bool            `yaml:"isDefault"`
		Editable  bool            `yaml:"editable"`
		Data      grafanaSettings `yaml:"jsonData"`
	}
	grafanaSettings struct {
		Interval     string `yaml:"timeInterval"`
		Method       string `yaml:"httpMethod"`
		ManageAlerts bool   `yaml:"manageAlerts"`
	}
	grafanaProviders struct {
		Version   int               `yaml:"apiVersion"`
		Providers []grafanaProvider `yaml:"providers"`
	}
	grafanaProvider struct {
		Name            string         `yaml:"name"`
		Type            string         `yaml:"type"`
		DisableDeletion bool           `yaml:"disableDeletion"`
		AllowUpdates    bool           `yaml:"allowUiUpdates"`
		Options         grafanaOptions `yaml:"options"`
	}
	grafanaOptions struct {
		Path string `yaml:"path"`
	}
)

func (p *plan) addGrafana(c *schema.Cluster) error {
	g := c.Services.Monitoring.Grafana
	if err := p.addGrafanaFiles(c); err != nil {
		return err
	}
	s, err := newService(g.Image, g.UID, g.Resources)
	if err != nil {
		return err
	}
	onDuty(&s, "monitoring")
	for _, v := range [][2]string{
		{"GF_SERVER_HTTP_PORT", address(g.Port)[1:]},
		// Grafana serves below the path itself; a stripped prefix would send browsers in circles (grafana#66724).
		{"GF_SERVER_ROOT_URL", pageURL(c, g.Path)},
		{"GF_SERVER_SERVE_FROM_SUB_PATH", "true"},
		{"GF_SECURITY_ADMIN_USER", g.User},
		{"GF_SECURITY_ADMIN_PASSWORD__FILE", secretFile(grafanaSecret)},
		// Grafana has two well-known keys of its own: that of the database, and since 12 that of the secrets manager.
		{"GF_SECURITY_SECRET_KEY__FILE", secretFile(grafanaKeySecret)},
		{"GF_SECRETS_MANAGER_ENCRYPTION_SECRET_KEY_V1_SECRET_KEY__FILE", secretFile(grafanaKeySecret)},
		{"GF_SECURITY_COOKIE_SECURE", "true"},
		{"GF_SECURITY_DISABLE_GRAVATAR", "true"},
		{"GF_USERS_ALLOW_SIGN_UP", "false"},
		{"GF_LOG_MODE", "console"},
		// Nothing is asked of the internet: a closed site has none.
		{"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"},
		{"GF_ANALYTICS_CHECK_FOR_UPDATES", "false"},
		{"GF_ANALYTICS_REPORTING_ENABLED", "false"},
		{"GF_NEWS_NEWS_FEED_ENABLED", "false"},
		{"GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED", "true"},
		// Since 13.2 Prometheus is a plugin in the image. The installer would replace it by a newer one, fail on the
		// read-only root and leave none (grafana/grafana-operator#2946).
		{"GF_PLUGINS_PREINSTALL_DISABLED", "true"},
	} {
		setenv(&s, v[0], v[1])
	}
	s.HealthCheck = healthGet(g.Port, g.Path+"/api/health")
	p.mountFile(&s, sourcesFile, grafanaProvision+"datasources/"+sourcesFile)
	p.mountFile(&s, providersFile, grafanaProvision+"dashboards/"+providersFile)
	p.mountFile(&s, dashboardFile, grafanaBoards+"/"+dashboardFile)
	p.mountSecret(c, &s, grafanaSecret)
	p.mountSecret(c, &s, grafanaKeySecret)
	p.mountVolume(&s, "grafana", "/var/lib/grafana")
	scratch(&s, "/tmp", 64<<20)
	p.attach(&s, monitoringNetwork)
	p.notes["services/grafana"] = "services.monitoring.grafana"
	p.notes["services/grafana/environment/GF_PLUGINS_PREINSTALL_DISABLED"] = "Keeps the plugins of the image: their update would fail on the read-only root and leave none."
	p.project.Services["grafana"] = s
	return nil
}

func (p *plan) addGrafanaFiles(c *schema.Cluster) error {
	m := c.Services.Monitoring
	sources, err := document.Marshal(grafanaSources{Version: 1, Sources: []grafanaSource{{
		Name: "Prometheus", UID: "prometheus", Type: "prometheus", Access: "proxy", IsDefault: true,
		URL:  "http://prometheus" + address(m.Prometheus.Port) + m.Prometheus.Path,
		Data: grafanaSettings{Interval: m.Prometheus.Interval, Method: "POST", ManageAlerts: true},
	}}}, nil)
	if err != nil {
		return err
	}
	providers, err := document.Marshal(grafanaProviders{Version: 1, Providers: []grafanaProvider{{
		Name: "skep", Type: "file", DisableDeletion: true, Options: grafanaOptions{Path: grafanaBoards},
	}}}, nil)
	if err != nil {
		return err
	}
	p.addFile(sourcesFile, sources)
	p.addOwn(artifact.Own(p.in(providersFile), providers, "generators/stack/grafana.go"))
	p.addOwn(assets.Own(p.in(dashboardFile), dashboardFile))
	return nil
}
