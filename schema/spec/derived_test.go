package spec

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
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
	s := written.NewSchema()
	var paths [][]string
	var walk func(path []string, f *written.Field)
	walk = func(path []string, f *written.Field) {
		if len(path) > 0 && path[0] == "exposures" {
			return // rows, which the spec may add
		}
		if _, fact := s.Fact(f); fact || written.IsComputed(f) {
			paths = append(paths, path)
			return
		}
		for _, name := range f.Shown() {
			walk(append(slices.Clone(path), name), f.Fields[name])
		}
	}
	walk(nil, s.Root)
	if len(paths) < 20 {
		t.Fatal(paths)
	}
	for _, path := range paths {
		values := []any{1000}
		if _, fact := s.Fact(at(s, path)); !fact {
			values = append(values, "x")
		}
		for _, value := range values {
			err := loadWith(t, path, value)
			var found finding.List
			if !errors.As(err, &found) {
				t.Errorf("%s: %v: %v", schema.JoinPath(path...), value, err)
				continue
			}
			said := slices.ContainsFunc(found, func(m finding.Finding) bool {
				return strings.HasPrefix(schema.JoinPath(path...), m.Path) && (strings.Contains(m.Text, "cannot be set") || strings.Contains(m.Text, "never set"))
			})
			if !said {
				t.Errorf("%s: %v: %v", schema.JoinPath(path...), value, err)
			}
		}
	}
}

func at(s *written.Schema, path []string) *written.Field {
	field, _ := s.Root.Find(path)
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
	_, _, err = Load(file)
	return err
}
