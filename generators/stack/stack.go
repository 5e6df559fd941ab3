// Package stack turns a cluster's services into stack files for docker stack deploy, with the configuration files they
// name: Traefik, the monitoring and S3.
package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Stack is one docker stack deploy. All names but Services are those of the swarm's objects; every slice is sorted.
type Stack struct {
	Name     string   // "traefik"
	Dir      string   // folder in the bundle: "stacks/traefik"
	Services []string // as in the file; in the swarm each is Name_SERVICE
	Global   []string // those of Services that run on every node their placement allows
	Images   []string
	Configs  []string // made by the deploy itself; the end of the name is a hash of the content
	Secrets  []string // must exist before
	Networks []string // must exist before
}

// plan is a stack before it is written.
type plan struct {
	name    string
	project *types.Project
	files   []artifact.File // the configuration files, with paths in the bundle
	notes   Notes
}

// Files returns the stack files of every service that is on, and the files they name.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	plans, err := plans(c)
	if err != nil {
		return nil, err
	}
	var files []artifact.File
	for _, p := range plans {
		data, err := Write(p.project, p.notes)
		if err != nil {
			return nil, err
		}
		files = append(files, artifact.File{Path: path.Join(dir(p.name), "compose.yaml"), Mode: 0o644, Data: data})
		files = append(files, p.files...)
	}
	return files, nil
}

// Stacks returns the stacks in the order of their deployment.
func Stacks(c *schema.Cluster) ([]Stack, error) {
	plans, err := plans(c)
	if err != nil {
		return nil, err
	}
	var stacks []Stack
	for _, p := range plans {
		stacks = append(stacks, p.stack())
	}
	return stacks, nil
}

func plans(c *schema.Cluster) ([]plan, error) {
	var plans []plan
	for _, part := range []struct {
		on   bool
		make func(*schema.Cluster) (plan, error)
	}{
		{c.Services.Traefik != nil, traefik},
		{c.Services.Monitoring != nil, monitoring},
		{c.Services.S3 != nil, s3},
	} {
		if !part.on {
			continue
		}
		p, err := part.make(c)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func dir(name string) string { return path.Join("stacks", name) }

func newPlan(name string) plan {
	return plan{
		name:  name,
		notes: Notes{},
		project: &types.Project{
			Services: types.Services{}, Networks: types.Networks{}, Volumes: types.Volumes{},
			Secrets: types.Secrets{}, Configs: types.Configs{},
		},
	}
}

func (p plan) stack() Stack {
	s := Stack{Name: p.name, Dir: dir(p.name)}
	for name, service := range p.project.Services {
		s.Services = append(s.Services, name)
		s.Images = append(s.Images, service.Image)
		if service.Deploy != nil && service.Deploy.Mode == "global" {
			s.Global = append(s.Global, name)
		}
	}
	for _, o := range p.project.Configs {
		s.Configs = append(s.Configs, o.Name)
	}
	for _, o := range p.project.Secrets {
		s.Secrets = append(s.Secrets, o.Name)
	}
	for _, o := range p.project.Networks {
		s.Networks = append(s.Networks, o.Name)
	}
	for _, names := range []*[]string{&s.Services, &s.Global, &s.Images, &s.Configs, &s.Secrets, &s.Networks} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return s
}

// addFile adds a configuration file to the stack, as a config of the swarm. A config's content is immutable there
// (moby#35048), so its name ends in a hash of it: a changed file is a new config, and its service is updated.
func (p *plan) addFile(name string, data []byte) {
	sum := sha256.Sum256(data)
	p.files = append(p.files, artifact.File{Path: path.Join(dir(p.name), name), Mode: 0o644, Data: data})
	p.project.Configs[name] = types.ConfigObjConfig{
		Name: p.name + "-" + name + "-" + hex.EncodeToString(sum[:])[:12],
		File: "./" + name,
	}
}
