package schema

import (
	"slices"
	"testing"
)

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
		if got := SplitPath(path); !slices.Equal(got, want) {
			t.Errorf("SplitPath(%s) = %q", path, got)
		}
		if got := JoinPath(want...); got != path {
			t.Errorf("JoinPath(%q) = %s, want %s", want, got, path)
		}
	}
}
