// Package stack turns a cluster's services into stack files for docker stack deploy, with the configuration files they
// name: Traefik, the monitoring and S3.
package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/generators/artifact"
	"skep.dev/generators/stack/dialect"
	"skep.dev/generators/stack/document"
	"skep.dev/schema"
)

// plan is a stack before it is written.
type plan struct {
	name    string
	project *types.Project
	files   []artifact.File // the configuration files, with paths in the bundle
	notes   document.Notes
}

// service makes the stack of that name, in a file of the same name.
type service struct {
	name string
	plan func(*schema.Cluster) (plan, error)
	// routes are what Traefik's dynamic file says of it; nil where labels or nothing do.
	routes func(*dynamicConfig, *schema.Cluster, document.Notes)
}

// services are those that have a stack.
func services() []service {
	return []service{
		{"monitoring", monitoring, (*dynamicConfig).addMonitoring},
		{"s3", s3, (*dynamicConfig).addS3},
		{"traefik", traefik, nil},
	}
}

// deployed returns the services whose stacks the cluster has, in the order of their deployment.
func deployed(c *schema.Cluster) ([]service, error) {
	var out []service
	for _, row := range c.Rows.Deploys {
		i := slices.IndexFunc(services(), func(s service) bool { return s.name == row.Name })
		if i < 0 {
			return nil, fmt.Errorf("stack %s: no function makes it", row.Name)
		}
		out = append(out, services()[i])
	}
	return out, nil
}

// Files returns the stack files of every service that is on, and the files they name.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	services, err := deployed(c)
	if err != nil {
		return nil, err
	}
	parts := make([][]artifact.File, len(services))
	errs := make([]error, len(services))
	var wait sync.WaitGroup // YAML is most of what a small cluster costs
	for i, s := range services {
		wait.Go(func() { parts[i], errs[i] = write(c, s.plan) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

// write returns the stack file of a plan, and the files it names.
func write(c *schema.Cluster, makePlan func(*schema.Cluster) (plan, error)) ([]artifact.File, error) {
	p, err := makePlan(c)
	if err != nil {
		return nil, err
	}
	data, err := dialect.Write(p.project, p.notes)
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", p.name, err)
	}
	return append(p.files, artifact.Text(path.Join(dir(p.name), "compose.yaml"), data)), nil
}

func dir(name string) string { return path.Join("stacks", name) }

func newPlan(name string) plan {
	return plan{
		name:  name,
		notes: document.Notes{},
		project: &types.Project{
			Services: types.Services{}, Networks: types.Networks{}, Volumes: types.Volumes{},
			Secrets: types.Secrets{}, Configs: types.Configs{},
		},
	}
}

// addFile adds a configuration file to the stack, as a config of the swarm. A config's content is immutable there
// (moby#35048), so its name ends in a hash of it: a changed file is a new config, and its service is updated.
func (p *plan) addFile(name string, data []byte) {
	sum := sha256.Sum256(data)
	p.files = append(p.files, artifact.Text(path.Join(dir(p.name), name), data))
	p.project.Configs[name] = types.ConfigObjConfig{
		Name: p.name + "-" + name + "-" + hex.EncodeToString(sum[:])[:12],
		File: "./" + name,
	}
}
