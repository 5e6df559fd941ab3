package gitops

import (
	"bytes"

	"github.com/pelletier/go-toml/v2"

	"skep.dev/generators/artifact"
	"skep.dev/generators/stack"
	"skep.dev/schema"
)

// Komodo is what a resource sync of Komodo reads.
const Komodo = "gitops/komodo.toml"

const komodoText = `A resource sync of Komodo 2.0 or later reads this where it is. Komodo has to know the swarm by the name that stands here,
with its managers as servers.
`

// resources is a file of Komodo's: https://komo.do/docs/automate/sync-resources
type resources struct {
	Stacks []resource `toml:"stack"`
}

type resource struct {
	Name   string      `toml:"name"` // of all clusters that Komodo knows
	Deploy bool        `toml:"deploy"`
	After  []string    `toml:"after,omitempty"`
	Config stackConfig `toml:"config"`
}

type stackConfig struct {
	Swarm      string       `toml:"swarm"`
	Project    string       `toml:"project_name"` // the stack, in the swarm
	Repository string       `toml:"repo"`
	Branch     string       `toml:"branch"`
	Directory  string       `toml:"run_directory"`
	Files      []string     `toml:"file_paths"`
	Others     []dependency `toml:"config_files,omitempty"`
	Arguments  []string     `toml:"extra_args"` // of docker stack deploy
}

// dependency is a file beside the stack file: when it changes, the stack is deployed again.
type dependency struct {
	Path     string `toml:"path"`
	Requires string `toml:"requires"`
}

// komodo has Komodo deploy each stack once the one before it is there.
func komodo(c *schema.Cluster, stacks []stackFiles) (artifact.File, error) {
	var all resources
	for i, s := range stacks {
		r := resource{Name: c.Name + "-" + s.name, Deploy: true, Config: stackConfig{
			Swarm: c.Name, Project: s.name, Repository: c.GitOps.Repository, Branch: c.GitOps.Branch, Directory: s.directory, Files: []string{s.file},
			Arguments: stack.DeployOptions(c),
		}}
		for _, other := range s.others {
			r.Config.Others = append(r.Config.Others, dependency{other, "Redeploy"})
		}
		if i > 0 {
			r.After = []string{all.Stacks[i-1].Name}
		}
		all.Stacks = append(all.Stacks, r)
	}
	b := bytes.NewBufferString(generated + comment(komodoText))
	err := toml.NewEncoder(b).Encode(all)
	return artifact.File{Path: Komodo, Mode: 0o644, Data: b.Bytes()}, err
}
