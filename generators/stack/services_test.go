package stack

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

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

// Every file of alerts is chosen by a row in an example, and every alert in it is there in one.
func TestAlertsAreChosen(t *testing.T) {
	chosen := map[string]bool{}
	examples(t, func(t *testing.T, c *schema.Cluster) {
		groups, err := alertGroups(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.Rows.Alerts.Names() {
			chosen[name+".rules.yaml"] = true
		}
		for _, g := range groups {
			for i := range g.Rules {
				chosen[alertName(&g.Rules[i])] = true
			}
		}
	})
	files, err := ruleFiles.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var file ruleFile
		data, err := ruleFiles.ReadFile(f.Name())
		if err := errors.Join(err, yaml.Unmarshal(data, &file)); err != nil {
			t.Fatal(err)
		}
		if !chosen[f.Name()] {
			t.Errorf("no example has the alerts of %s", f.Name())
		}
		for _, g := range file.Groups {
			for i := range g.Rules {
				// No example has an object store beside a share.
				if name := alertName(&g.Rules[i]); !chosen[name] && !strings.HasPrefix(name, "ObjectStore") {
					t.Errorf("no example has the alert %s", name)
				}
			}
		}
	}
}

// A row and its file are of one mind.
func TestAlertsMiss(t *testing.T) {
	for want, row := range map[string]schema.Alerting{
		"nosuch.rules.yaml: file does not exist":                          {Name: "nosuch"},
		"nfs.rules.yaml has 0 of the alerts that its row chooses, want 1": {Name: "nfs", Only: map[string]bool{"NoSuch": true}},
		"the cluster has no services.nfs":                                 {Name: "nfs"},
	} {
		c := &schema.Cluster{Rows: schema.ServiceRows{Alerts: schema.Rows[schema.Alerting, *schema.Alerting]{row}}}
		if _, err := alertGroups(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", row, err, want)
		}
	}
}

// A value stands for itself within a matcher of PromQL, in regular expressions too.
func TestExpand(t *testing.T) {
	c := &schema.Cluster{Domain: `a.b"c`, Nodes: schema.Nodes{{Name: "m1", Role: "manager"}, {Name: "w1"}}}
	for text, want := range map[string]string{
		`x < {"${nodes}"}`:        `x < 2`,
		`${managers} of ${nodes}`: `m1 of m1, w1`,
		`x{y="${domain}"} < 1`:    `x{y="a.b\"c"} < 1`,
		`x{y=~"(${domain})"} < 1`: `x{y=~"(a\\.b\"c)"} < 1`,
		`x{z="q",y!~"${domain}"}`: `x{z="q",y!~"a\\.b\"c"}`,
	} {
		got, _, err := expand(c, text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	c = &schema.Cluster{Name: "paris", Domain: `${name} {"${nodes}"}`}
	if got, _, err := expand(c, `${domain} of ${name}`); err != nil || got != `${name} {"${nodes}"} of paris` {
		t.Errorf("a value was taken for a place: %s, %v", got, err)
	}
	for _, text := range []string{`${nosuch}`, `{"${domain}"} > 1`, `${services}`, `${services.nfs.path}`} {
		if got, _, err := expand(c, text); err == nil {
			t.Errorf("%s: %q and no error", text, got)
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

// A duty says whether its tasks are on the public network: the addresses there are counted by it.
func TestPublicDuties(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		public := map[string]bool{}
		for _, s := range services() {
			if _, ok := c.Rows.Deploys.Named(s.name); !ok {
				continue
			}
			p, err := s.plan(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, service := range p.project.Services {
				if _, on := service.Networks[c.Network.Public.Name]; on {
					public[strings.Join(service.Deploy.Placement.Constraints, ",")] = true
				}
			}
		}
		for _, d := range c.Rows.Duties {
			if at := "node.labels.skep." + d.Name + " == true"; public[at] != d.Public {
				t.Errorf("%s: public is %v, and a task is on the network: %v", d.Name, d.Public, public[at])
			} else {
				delete(public, at)
			}
		}
		for at := range public {
			t.Errorf("a task with the placement %s is on the public network, and no duty says so", at)
		}
	})
}
