package stack

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// examples runs a test for the cluster of every example that is written in CUE.
func examples(t *testing.T, test func(*testing.T, *schema.Cluster)) {
	t.Helper()
	specs, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "cluster.cue"))
	if err != nil || len(specs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, path := range specs {
		name := filepath.Base(filepath.Dir(path))
		if name == "lab" {
			continue // its spec is made for one machine
		}
		t.Run(name, func(t *testing.T) {
			c, _, err := spec.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			test(t, ours(c))
		})
	}
}

// ours is a cluster without the users' stacks, and their rows: what holds for each service of skep's own holds not for them.
func ours(c *schema.Cluster) *schema.Cluster {
	of := func(field string) bool { return strings.HasPrefix(field, "stacks.") }
	c.Exposures = slices.DeleteFunc(c.Exposures, func(e schema.Exposure) bool { return of(e.Field) })
	c.Secrets = slices.DeleteFunc(c.Secrets, func(s schema.Secret) bool { return of(s.Field) })
	c.Rows.Images = slices.DeleteFunc(c.Rows.Images, func(i schema.Image) bool { return of(i.Field) })
	for _, s := range c.Stacks {
		c.Rows.Deploys = slices.DeleteFunc(c.Rows.Deploys, func(d schema.Deploy) bool { return d.Name == s.Name })
		c.Rows.Pages = slices.DeleteFunc(c.Rows.Pages, func(p schema.Page) bool { return strings.HasPrefix(p.Name, s.Name+"-") })
	}
	c.Stacks = nil
	return c
}

func plans(t *testing.T, c *schema.Cluster) []plan {
	t.Helper()
	var plans []plan
	services, err := deployed(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		p, err := s.plan(c)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	return plans
}

func TestSameBytes(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		first, err := Files(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Files(c)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range first {
			if f.Path != again[i].Path || !bytes.Equal(f.Data, again[i].Data) {
				t.Errorf("%s differs from run to run", f.Path)
			}
		}
	})
}

// The runbook makes exactly what the rows of the cluster name, so stacks must ask for no more and no less.
func TestRows(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		var secrets, networks, images []string
		for _, p := range plans(t, c) {
			for _, s := range p.project.Services {
				images = append(images, s.Image)
			}
			for _, s := range p.project.Secrets {
				secrets = append(secrets, s.Name)
			}
			for _, n := range p.project.Networks {
				if n.Name != hostNetwork {
					networks = append(networks, n.Name)
				}
			}
			for _, o := range p.project.Configs {
				if len(o.Name) > 55 {
					t.Errorf("config %s has more than 55 characters, and no room for the hash of an agent", o.Name)
				}
			}
		}
		for _, row := range c.Rows.Images {
			if !slices.Contains(images, row.Image) {
				t.Errorf("image %s of %s runs nowhere", row.Image, row.Field)
			}
		}
		for _, image := range images {
			if !slices.ContainsFunc(c.Rows.Images, func(i schema.Image) bool { return i.Image == image }) {
				t.Errorf("image %s has no field in the spec", image)
			}
		}
		for _, row := range c.Secrets {
			if !slices.Contains(secrets, row.Object()) {
				t.Errorf("secret %s is made for nobody", row.Object())
			}
		}
		for _, row := range c.Networks {
			if !slices.Contains(networks, row.Name) {
				t.Errorf("network %s is made for nobody", row.Name)
			}
		}
		for _, name := range secrets {
			if !slices.ContainsFunc(c.Secrets, func(s schema.Secret) bool { return s.Object() == name }) {
				t.Errorf("nobody makes secret %s", name)
			}
		}
		for _, name := range networks {
			if !slices.ContainsFunc(c.Networks, func(o schema.Overlay) bool { return o.Name == name }) {
				t.Errorf("nobody makes network %s", name)
			}
		}
	})
}

// A port that a stack publishes is a port that the firewall knows, and the other way round.
func TestPublishedPorts(t *testing.T) {
	examples(t, func(t *testing.T, c *schema.Cluster) {
		published := map[string]bool{}
		for _, p := range plans(t, c) {
			for _, s := range p.project.Services {
				for _, port := range s.Ports {
					published[port.Published] = true
				}
			}
		}
		for _, name := range []string{"web", "websecure", "dashboard", "s3"} {
			if e, ok := c.Exposure(name); ok && !published[strconv.Itoa(int(e.Port))] {
				t.Errorf("nothing listens on %d (%s)", e.Port, name)
			} else {
				delete(published, strconv.Itoa(int(e.Port)))
			}
		}
		for port := range published {
			t.Errorf("the firewall does not know port %s", port)
		}
	})
}
