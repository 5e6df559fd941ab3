package compose

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestPlaces asks for the place of each leaf of each project: at least 95 of 100 stand there or one level up, none has no
// place, and a text that stands in a file as it is in the project is found where it stands.
func TestPlaces(t *testing.T) {
	total, near, exact := 0, 0, 0
	for _, file := range archives(t, "testdata/good/*.txtar") {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		a := readArchive(t, file)
		p, found := Read(a.fsys, same, a.request)
		if p == nil {
			t.Fatal(found)
		}
		for _, leaf := range leaves(t, p) {
			at, steps := p.places.nearest(p.Project, leaf.path)
			total++
			if at.line < 1 || at.column < 1 || a.fsys[at.file] == nil {
				t.Errorf("%s: %v has no place: %v", name, leaf.path, at)
				continue
			}
			switch up := len(leaf.path) - steps; {
			case up == 0:
				exact++
				near++
				line := strings.Split(string(a.fsys[at.file].Data), "\n")[at.line-1]
				if strings.Contains(string(a.fsys[at.file].Data), leaf.text) && !strings.Contains(line, leaf.text) && !strings.ContainsAny(line, "$|*&") && !strings.Contains(line, "env_file") {
					t.Errorf("%s: %v is %q, and stands at %v: %s", name, leaf.path, leaf.text, at, line)
				}
			case up == 1:
				near++
			default:
				t.Logf("%s: %v: %d levels up, at %v", name, leaf.path, up, at)
			}
		}
	}
	t.Logf("%d leaves, %d exactly, %d of the others one level up", total, exact, near-exact)
	if near*100 < total*95 {
		t.Errorf("%d of %d leaves have a place at most one level up, want 95 of 100", near, total)
	}
}

type leaf struct {
	path []string
	text string
}

// leaves are the values of a project as it is written in YAML.
func leaves(t *testing.T, p *Project) []leaf {
	t.Helper()
	text, err := json.Marshal(p.Project)
	if err != nil {
		t.Fatal(err)
	}
	var top yaml.Node
	if err := yaml.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	var out []leaf
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
			walk(n.Content[i+1], append(path[:len(path):len(path)], n.Content[i].Value))
		}
		for i := 0; i < len(n.Content) && n.Kind == yaml.SequenceNode; i++ {
			walk(n.Content[i], append(path[:len(path):len(path)], fmt.Sprint(i)))
		}
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && len(path) > 1 {
			out = append(out, leaf{path, n.Value})
		}
	}
	walk(top.Content[0], nil)
	return out
}
