package gitops

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Doco is doco-cd's file in the bundle. doco-cd itself looks for it at the top of a repository.
const Doco = "gitops/doco-cd.yaml"

const docoText = `Copy this to .doco-cd.yaml at the top of the repository whenever it changes.
Each stack is a document, in the order of their deployment.
`

// docoDeployment is a document of doco-cd's file: https://doco.cd/latest/Deploy-Settings/
type docoDeployment struct {
	Name             string    `yaml:"name"`
	Reference        string    `yaml:"reference"`
	WorkingDirectory string    `yaml:"working_dir"`
	ComposeFiles     []string  `yaml:"compose_files"`
	PruneImages      bool      `yaml:"prune_images"`
	Timeout          int       `yaml:"timeout"` // seconds
	Swarm            docoSwarm `yaml:"swarm"`
}

type docoSwarm struct {
	ConfigRetention int `yaml:"config_retention"` // former configs that stay
}

// docoCD has doco-cd deploy each stack. The former configs and images stay: "docker service rollback" wants them.
func docoCD(c *schema.Cluster, stacks []stackFiles) (artifact.File, error) {
	b := bytes.NewBufferString(generated + comment(docoText))
	e := yaml.NewEncoder(b)
	e.SetIndent(2)
	for _, s := range stacks {
		if err := e.Encode(docoDeployment{
			Name: s.name, Reference: "refs/heads/" + c.GitOps.Branch, WorkingDirectory: s.directory, ComposeFiles: []string{s.file},
			Timeout: timeout, Swarm: docoSwarm{ConfigRetention: 1},
		}); err != nil {
			return artifact.File{}, err
		}
	}
	err := e.Close()
	return artifact.File{Path: Doco, Mode: 0o644, Data: b.Bytes()}, err
}
