package runbook_test

import (
	"path"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
)

// composeFile is what a stack takes for granted: images, and networks and secrets that it does not make itself.
type composeFile struct {
	Services          map[string]struct{ Image string }
	Networks, Secrets map[string]struct{ Name string }
}

// The step images names every image that a stack runs, the steps networks and secrets all that a stack takes for granted.
func TestStacksFindWhatTheyNeed(t *testing.T) {
	for _, example := range []string{"target", "host", "production", "everything"} {
		c := load(t, example)
		files, err := runbook.Files(c)
		must(t, err)
		steps := map[string]string{}
		for _, f := range files {
			_, name, _ := strings.Cut(f.Path, "-")
			steps[name] = string(f.Data)
		}
		stacks, err := stack.Files(c)
		must(t, err)
		for _, f := range stacks {
			dir, file := path.Split(f.Path)
			if file != "compose.yaml" {
				continue
			}
			if name := path.Base(dir); steps[name+".sh"] == "" {
				t.Errorf("%s: no step deploys the stack %s", example, name)
			}
			var compose composeFile
			must(t, yaml.Unmarshal(f.Data, &compose))
			needs := map[string][]string{}
			for _, s := range compose.Services {
				needs["images.sh"] = append(needs["images.sh"], s.Image)
			}
			for _, n := range compose.Networks {
				needs["networks.sh"] = append(needs["networks.sh"], n.Name)
			}
			for _, s := range compose.Secrets {
				needs["secrets.sh"] = append(needs["secrets.sh"], s.Name)
			}
			for step, names := range needs {
				for _, name := range names {
					if name == "" || !strings.Contains(steps[step], "\t'"+name+" ") {
						t.Errorf("%s: %s lacks %q of %s", example, step, name, f.Path)
					}
				}
			}
		}
	}
}
