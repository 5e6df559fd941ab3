package schema

// FieldImage is an image and the field that names it.
type FieldImage struct{ Field, Image string }

// Images gives the image of every field of the spec that names one and is in use, in the order of the schema.
func (c *Cluster) Images() []FieldImage {
	var images []FieldImage
	s := c.Services
	if t := s.Traefik; t != nil {
		images = append(images, FieldImage{"services.traefik.image", t.Image}, FieldImage{"services.traefik.proxy.image", t.Proxy.Image})
	}
	if m := s.Monitoring; m != nil {
		images = append(images,
			FieldImage{"services.monitoring.prometheus.image", m.Prometheus.Image},
			FieldImage{"services.monitoring.grafana.image", m.Grafana.Image},
			FieldImage{"services.monitoring.nodeExporter.image", m.NodeExporter.Image},
			FieldImage{"services.monitoring.cadvisor.image", m.CAdvisor.Image})
		if m.Alerts != nil {
			images = append(images, FieldImage{"services.monitoring.alerts.image", m.Alerts.Image})
		}
	}
	if s.S3 != nil {
		images = append(images, FieldImage{"services.s3.image", s.S3.Image})
	}
	return images
}
