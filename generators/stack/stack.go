// Package stack turns a cluster's services into stack files for docker stack deploy, with the configuration files they
// name: Traefik, the monitoring and S3.
package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
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
	order   map[string][]string // that of an author
	unread  dialect.Unread
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
		if s, ok := c.Stacks.Named(row.Name); ok {
			out = append(out, service{s.Name, func(c *schema.Cluster) (plan, error) { return users(c, s), nil }, nil})
			continue
		}
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
	for name, s := range p.project.Services {
		p.project.Services[name] = locked(c, s)
	}
	data, err := dialect.Write(p.project, dialect.Options{
		Engine: schema.ParseVersion(c.Engine.Versions.From), Order: p.order, Notes: p.notes, Unread: p.unread,
	})
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", p.name, err)
	}
	file, field := artifact.Text(File(p.name), data), "services."+p.name
	if s, ok := c.Stacks.Named(p.name); ok {
		file, field = usersFile(s, file), s.Field()
	}
	return artifact.Of(append(p.files, file), field), nil
}

// ImageLabel has the digest of an image that runs by its tag, since an archive brings it: another digest makes new tasks.
const ImageLabel = "dev.skep.image"

// locked is a service with the image that the lock names.
func locked(c *schema.Cluster, s types.ServiceConfig) types.ServiceConfig {
	l, ok := c.Lock[schema.LockName(s.Image)]
	s.Image = c.Reference(s.Image)
	if c.Images.Loads() && ok {
		labels := types.Labels{}
		maps.Copy(labels, s.Labels)
		labels[ImageLabel] = l.Index
		s.Labels = labels
	}
	return s
}

// DeployOptions are those of docker stack deploy. The login for a registry looks up its host, also where nobody has one: without an
// answer of DNS that takes 20 seconds.
func DeployOptions(c *schema.Cluster) []string {
	options := []string{"--prune"}
	if !c.Images.Loads() {
		options = append(options, "--with-registry-auth")
	}
	return append(options, "--resolve-image", "never")
}

// Directory is where a bundle has its stacks, each in a directory of its name.
const Directory = "stacks"

func dir(name string) string { return path.Join(Directory, name) }

// File is the stack file of that stack in a bundle.
func File(name string) string { return path.Join(dir(name), "compose.yaml") }

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
	p.addConfig(name, artifact.Text(p.in(name), data))
}

// addOwn is addFile for one that says nothing about the cluster.
func (p *plan) addOwn(f artifact.File) { p.addConfig(path.Base(f.Path), f) }

// in is where the stack has a file of that name.
func (p *plan) in(name string) string { return path.Join(dir(p.name), name) }

func (p *plan) addConfig(name string, f artifact.File) {
	p.files = append(p.files, f)
	p.project.Configs[name] = types.ConfigObjConfig{Name: objectName(p.name, name, string(f.Data)), File: "./" + name}
}

// maxName is how many characters the name of a config may have: 64 in the swarm, of which agents that deploy out of git may want
// nine for a hash of their own. https://github.com/kimdre/doco-cd/blob/main/internal/docker/swarm.go
const maxName = 64 - 9

// objectName is the name of a config of a stack in the swarm. One that is too long is cut, and its hash is that of the name, too.
func objectName(stack, name string, parts ...string) string {
	base, hash := stack+"-"+name, shortHash(parts...)
	if most := maxName - len(hash) - 1; len(base) > most {
		base, hash = strings.TrimRight(base[:most], "._-"), shortHash(append(parts, name)...)
	}
	return base + "-" + hash
}

// shortHash is short enough for a name. The parts of one are told apart; one alone is hashed as it is.
func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:12]
}
