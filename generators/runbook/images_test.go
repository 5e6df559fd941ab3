package runbook_test

import (
	"path"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/stack"
)

// composeFile is what a stack takes for granted: images, and networks and secrets that it does not make itself.
type composeFile struct {
	Services          map[string]struct{ Image string }
	Networks, Secrets map[string]struct {
		Name     string
		External bool
	}
}

// The step images names every image that a stack runs, the steps networks and secrets all that a stack takes for granted.
func TestStacksFindWhatTheyNeed(t *testing.T) {
	for _, example := range []string{"target", "host", "production", "everything"} {
		c := load(t, example)
		table := tableOf(t, c)
		stacks, err := stack.Files(c)
		must(t, err)
		for _, f := range stacks {
			dir, file := path.Split(f.Path)
			if file != "compose.yaml" {
				continue
			}
			if name := path.Base(dir); !strings.Contains(table, "body='stack others overlays' argument='"+name+"' ") {
				t.Errorf("%s: no step deploys the stack %s", example, name)
			}
			var compose composeFile
			must(t, yaml.Unmarshal(f.Data, &compose))
			needs := map[string][]string{}
			for _, s := range compose.Services {
				needs["images"] = append(needs["images"], s.Image)
			}
			for _, n := range compose.Networks {
				if n.Name != "host" && n.External { // every node has that of the host
					needs["networks"] = append(needs["networks"], n.Name)
				}
			}
			for _, s := range compose.Secrets {
				needs["secrets"] = append(needs["secrets"], s.Name)
			}
			for list, names := range needs {
				_, rows, _ := strings.Cut(table, "readonly -a "+list+"=(\n")
				rows, _, _ = strings.Cut(rows, "\t)\n")
				for _, name := range names {
					theirs := "'" + path.Base(dir) + " " + strings.TrimSuffix(list, "s") + " " + name + " "
					if name == "" || !strings.Contains(rows, "\t'"+name+" ") && !strings.Contains(table, theirs) {
						t.Errorf("%s: %s lacks %q of %s", example, list, name, f.Path)
					}
				}
			}
		}
	}
}
