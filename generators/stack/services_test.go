package stack

import (
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
)

// Every service that has a stack is deployed in an example: its row is there.
func TestServicesAreDeployed(t *testing.T) {
	deploys := map[string]bool{}
	examples(t, func(_ *testing.T, c *schema.Cluster) {
		for _, name := range c.Rows.Deploys.Names() {
			deploys[name] = true
		}
	})
	for _, s := range services() {
		if !deploys[s.name] {
			t.Errorf("no example deploys the stack %s", s.name)
		}
	}
}

// A task is placed by a duty that some node has, and what joins the monitoring's network is scraped there.
func TestTasksHaveTheirRows(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		for _, p := range plans(t, c) {
			for name, s := range p.project.Services {
				for _, constraint := range s.Deploy.Placement.Constraints {
					duty, ok := strings.CutPrefix(constraint, "node.labels.skep.")
					if row, _ := c.Rows.Duties.Named(strings.TrimSuffix(duty, " == true")); ok && len(row.Nodes) == 0 {
						t.Errorf("%s_%s: no node has the duty of %q", p.name, name, constraint)
					}
				}
				_, joined := s.Networks[monitoringNetwork]
				if joined && !slices.ContainsFunc(c.Rows.Scrapes, func(r schema.Scrape) bool { return r.Name == name || r.Name == p.name+"_"+name }) {
					t.Errorf("%s_%s is on the network %s, and nobody asks it", p.name, name, monitoringNetwork)
				}
			}
		}
	})
}
