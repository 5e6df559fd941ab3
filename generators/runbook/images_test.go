package runbook_test

import (
	"strings"
	"testing"

	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
)

// The step images names every image that a stack runs, the steps networks and secrets all that a stack takes for granted.
func TestStacksFindWhatTheyNeed(t *testing.T) {
	for _, example := range []string{"target", "host", "production", "everything"} {
		c := load(t, example)
		files, err := runbook.Files(c)
		must(t, err)
		text := map[string]string{}
		for _, f := range files {
			_, name, _ := strings.Cut(f.Path, "-")
			text[name] = string(f.Data)
		}
		stacks, err := stack.Stacks(c)
		must(t, err)
		for _, s := range stacks {
			if text[s.Name+".sh"] == "" {
				t.Errorf("%s: no step deploys the stack %s", example, s.Name)
			}
			for file, names := range map[string][]string{"images.sh": s.Images, "networks.sh": s.Networks, "secrets.sh": s.Secrets} {
				for _, name := range names {
					if !strings.Contains(text[file], "\t'"+name+" ") {
						t.Errorf("%s: %s lacks %s of the stack %s", example, file, name, s.Name)
					}
				}
			}
		}
	}
}
