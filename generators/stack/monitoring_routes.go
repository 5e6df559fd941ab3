package stack

import (
	"fmt"
	"slices"

	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// addMonitoring adds the pages of the monitoring. Grafana has a login of its own; the others have none, so they get
// Traefik's, and only operators' addresses may try it.
func (d *dynamicConfig) addMonitoring(c *schema.Cluster, notes document.Notes) {
	m := c.Services.Monitoring
	d.HTTP.Middlewares[compress] = dynamicMiddleware{Compress: &struct{}{}}
	d.HTTP.Middlewares[managementOnly] = dynamicMiddleware{IPAllowList: &dynamicAllowList{SourceRange: texts(c.Zone("management"))}}
	notes["http/middlewares/"+managementOnly] = "access.management"
	guard := []string{managementOnly, adminLogin, compress}
	d.page(c, "grafana", m.Grafana.Path, m.Grafana.Port, "/api/health", d.grafanaGuard(c, notes))
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

// grafanaGuard returns the middlewares of Grafana: one that knows addresses where not all may see it that reach https.
func (d *dynamicConfig) grafanaGuard(c *schema.Cluster, notes document.Notes) []string {
	from := c.Services.Monitoring.Grafana.From
	excluded := func(zone string) bool { return !slices.Contains(from, zone) }
	if !slices.ContainsFunc(c.Exposures, func(e schema.Exposure) bool {
		return e.Port == c.Services.Traefik.Ports.Websecure && slices.ContainsFunc(e.From, excluded)
	}) {
		return []string{compress}
	}
	var ranges []string
	for _, zone := range from {
		ranges = append(ranges, texts(c.Zone(zone))...)
	}
	d.HTTP.Middlewares[grafanaVisitors] = dynamicMiddleware{IPAllowList: &dynamicAllowList{SourceRange: ranges}}
	notes["http/middlewares/"+grafanaVisitors] = "services.monitoring.grafana.from"
	return []string{grafanaVisitors, compress}
}
