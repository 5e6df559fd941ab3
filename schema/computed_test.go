package schema

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// everything is a spec with each service.
const everything = `{
	"name": "paris", "kind": "target", "domain": "paris.example.org",
	"nodes": {"m1": {"address": "10.0.0.11", "role": "manager"}},
	"access": {"management": ["192.0.2.0/28"], "nuvla": ["203.0.113.10/32"]},
	"services": {
		"traefik": {"certificate": {"selfSigned": {}}}, "nfs": {"server": "m1", "path": "/srv/s3"}, "s3": {},
		"monitoring": {"alerts": {"email": {"to": "a@example.org", "from": "b@example.org", "smarthost": "c.example.org:25", "user": "d"}}},
		"vpn": {"access": {"from": ["management"], "routes": ["10.0.0.0/24"]}, "mesh": {}}
	}
}`

// TestDerivedCannotBeSet sets every field that follows from others, and every fact, to each kind of value. CUE's own
// answers are conflicts between two values, and a nil pointer.
func TestDerivedCannotBeSet(t *testing.T) {
	s := newShape()
	var paths [][]string
	var walk func(path []string, f *tree)
	walk = func(path []string, f *tree) {
		if len(path) > 0 && path[0] == "exposures" {
			return // rows, which the spec may add
		}
		if _, fact := s.fact(f); fact || isComputed(f) {
			paths = append(paths, path)
			return
		}
		for _, name := range s.allNames(f) {
			walk(append(slices.Clone(path), name), f.fields[name])
		}
	}
	walk(nil, s.root)
	if len(paths) < 20 {
		t.Fatal(paths)
	}
	for _, path := range paths {
		values := []any{1000}
		if _, fact := s.fact(at(s, path)); !fact {
			values = append(values, "x")
		}
		for _, value := range values {
			err := loadWith(t, path, value)
			var found Mistakes
			if !errors.As(err, &found) {
				t.Errorf("%s: %v: %v", joinPath(path), value, err)
				continue
			}
			said := slices.ContainsFunc(found, func(m Mistake) bool {
				return strings.HasPrefix(joinPath(path), m.Path) && (strings.Contains(m.Rule, "cannot be set") || strings.Contains(m.Rule, "never set"))
			})
			if !said {
				t.Errorf("%s: %v: %v", joinPath(path), value, err)
			}
		}
	}
}

func at(s *shape, path []string) *tree {
	field, _ := s.root.find(path)
	return field
}

// loadWith loads everything with one field more.
func loadWith(t *testing.T, path []string, value any) error {
	t.Helper()
	var spec map[string]any
	if err := json.Unmarshal([]byte(everything), &spec); err != nil {
		t.Fatal(err)
	}
	at := spec
	for _, name := range path[:len(path)-1] {
		if at[name] == nil {
			at[name] = map[string]any{}
		}
		at = at[name].(map[string]any)
	}
	at[path[len(path)-1]] = value
	b, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cluster.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(file)
	return err
}

// TestComputedFields tells expressions over other fields from choices, bounds and facts, and names their type.
func TestComputedFields(t *testing.T) {
	s := shapeOf(map[string][]byte{vendorDir + "/cluster.cue": []byte(`package schema

#Cluster: {
	size: int & >=1
	mode: "a" | "b" | error("want a or b")
	port: 80
	name: string & (*"x" | _)
	uid: [if mode == "a" {0}, 65532][0]
	title: "\(name)-x"
	same: size
	twin: #Cluster.size
	word: {a: "one", b: "two"}[mode]
	more: size + 1
	list: [...string] & (*[] | _)
}
`)})
	for name, want := range map[string]string{
		"size": "", "mode": "", "port": "", "name": "", "list": "", "same": "",
		"uid": "whole number", "title": "string", "word": "string", "more": "string",
	} {
		field := s.root.fields[name]
		if isComputed(field) != (want != "") {
			t.Errorf("%s: computed: %t", name, isComputed(field))
		}
		if want != "" && name != "more" && s.kind(field) != want {
			t.Errorf("%s: %s, want %s", name, s.kind(field), want)
		}
		if want != "" && !strings.HasPrefix(s.standing([]string{name}, field), "derived") {
			t.Errorf("%s: %s", name, s.standing([]string{name}, field))
		}
		if slices.Contains(s.visible(s.root), name) != (want == "" && name != "port") {
			t.Errorf("%s: offered: %v", name, s.visible(s.root))
		}
	}
}
