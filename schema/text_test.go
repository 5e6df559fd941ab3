package schema

import (
	"reflect"
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"address", "public", "role", "labels", "ssh", "selfSigned"}
	for name, want := range map[string]string{
		"adress": "address", "adresss": "address", "rol": "role", "SSH": "ssh", "selfsigned": "selfSigned",
		"x": "", "": "", "zzzzzz": "", "lable": "labels", "pubilc": "public",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLevenshtein(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"role", "rloe", 2}, {"same", "same", 0}} {
		if got := levenshtein(c.a, c.b); got != c.want {
			t.Errorf("levenshtein(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string][]string{
		"services.nfs.path":                 {"services", "nfs", "path"},
		`nodes.m1.labels."example.org/a.b"`: {"nodes", "m1", "labels", "example.org/a.b"},
		`nodes."a\nb".role`:                 {"nodes", "a\nb", "role"},
		`nodes."\u0430".role`:               {"nodes", "\u0430", "role"},
		`nodes."".role`:                     {"nodes", "", "role"},
		"nodes.*.address":                   {"nodes", "*", "address"},
		"":                                  nil,
	} {
		if got := splitPath(path); !slices.Equal(got, want) {
			t.Errorf("splitPath(%s) = %q", path, got)
		}
		if got := joinPath(want); got != path {
			t.Errorf("joinPath(%q) = %s, want %s", want, got, path)
		}
	}
}

func TestImageVersion(t *testing.T) {
	for image, want := range map[string]Version{
		"traefik:v3.7.13":                           {3, 7, 13},
		"docker.io/library/traefik:3.5":             {3, 5, newest},
		"registry:5000/traefik:v3@sha256:0123":      {3, newest, newest},
		"traefik:v3.6.1-alpine":                     {3, 6, 1},
		"traefik@sha256:0123":                       {},
		"traefik:mine":                              {newest, newest, newest},
		"registry.example.org/traefik-mirror:v1.0":  {},
		"registry.example.org:5000/library/traefik": {},
	} {
		got, ok := ImageVersion(image, "traefik")
		if ok != (want != Version{} && want[0] != newest) || ok && got != want {
			t.Errorf("ImageVersion(%s) = %v, %v", image, got, ok)
		}
	}
	if !(Version{3, 6, 0}).Less(Version{3, 6, 1}) || (Version{3, newest, newest}).Less(Version{3, 6, 1}) {
		t.Error("versions compare wrongly")
	}
	for _, v := range [][2]string{{"20.10", "29.0"}, {"28.5.1", "29.0"}, {"9.9", "10.0"}, {"29", "29.0.1"}} {
		if a, b := ParseVersion(v[0]), ParseVersion(v[1]); !a.Less(b) || b.Less(a) || a.Less(a) {
			t.Errorf("%s and %s compare wrongly", v[0], v[1])
		}
	}
	if got := ParseVersion("20.10"); got != (Version{20, 10, 0}) {
		t.Error(got)
	}
}

func TestMistakeLine(t *testing.T) {
	for want, m := range map[string]Mistake{
		`cluster.cue:12:9: nodes.m3.address: "10.0.0.256": want an IP address such as 10.0.0.1`: {"cluster.cue", 12, 9, "nodes.m3.address", `"10.0.0.256"`, "want an IP address such as 10.0.0.1"},
		"a.yaml: no valid YAML": {File: "a.yaml", Rule: "no valid YAML"},
		"nodes: want one":       {Path: "nodes", Rule: "want one"},
	} {
		if got := m.Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestEveryWarningIsExplained keeps the IDs sorted and the texts there.
func TestEveryWarningIsExplained(t *testing.T) {
	var ids []string
	for _, a := range Warnings() {
		ids = append(ids, a.ID)
		if a.Title == "" || a.Why == "" || a.Way == "" {
			t.Errorf("%s lacks a text", a.ID)
		}
	}
	if !slices.IsSorted(ids) || !reflect.DeepEqual(slices.Compact(slices.Clone(ids)), ids) {
		t.Errorf("not sorted, or not unique: %v", ids)
	}
}

// TestEveryFieldIsExplained asks for every field of the schema, by the path that a user would type.
func TestEveryFieldIsExplained(t *testing.T) {
	s := newShape()
	var walk func(path []string, field *tree)
	walk = func(path []string, field *tree) {
		if len(path) > 0 {
			if text, err := Explain(joinPath(path)); err != nil || text == "" {
				t.Errorf("%v: %v", path, err)
			}
		}
		for _, name := range s.allNames(field) {
			walk(append(slices.Clone(path), name), field.fields[name])
		}
		if field.each != nil && len(field.patterns) > 0 {
			walk(append(slices.Clone(path), "*"), field.each)
		}
	}
	walk(nil, s.root)
}
