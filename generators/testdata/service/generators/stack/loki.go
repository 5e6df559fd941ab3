package stack

import "skep.dev/schema"

// loki keeps the logs of the tasks.
func loki(c *schema.Cluster) (plan, error) {
	p := newPlan("loki")
	l := c.Services.Loki
	s, err := newService(l.Image, l.UID, l.Resources)
	if err != nil {
		return plan{}, err
	}
	onDuty(&s, "loki")
	p.mountSecret(c, &s, "loki-key")
	p.mountVolume(&s, "loki", "/loki")
	p.attach(&s, monitoringNetwork)
	p.project.Services["loki"] = s
	return p, nil
}
