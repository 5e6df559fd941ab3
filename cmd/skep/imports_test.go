package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms are the packages of the repository from the ground up, and what each may use: those before it alone, so that no
// two need each other. What a cluster is depends on nothing; a generator never reads a spec.
var rooms = []struct{ name, uses string }{
	{"schema/finding", ""},
	{"schema/finding/forge", "schema/finding"},
	{"schema/compose/format", ""},
	{"schema/compose", "schema/compose/format schema/finding"},
	{"schema", "schema/compose schema/finding"},
	{"schema/written", "schema schema/finding"},
	{"schema/waive", "schema schema/finding schema/written"},
	{"schema/mistakes", "schema schema/finding schema/written"},
	{"schema/check", "schema schema/finding schema/waive schema/written"},
	{"schema/stacks", "schema schema/compose schema/compose/format schema/finding schema/waive schema/written"},
	{"schema/lock", "schema schema/finding"},
	{"schema/spec", "schema schema/check schema/finding schema/lock schema/mistakes schema/stacks schema/written"},
	{"schema/lint", "schema schema/finding schema/written"},
	{"schema/imported", "schema schema/compose schema/finding schema/written"},
	{"schema/explain", "schema schema/finding schema/written"},
	{"schema/jsonschema", "schema/written"},
	{"generators/artifact", "schema"},
	{"generators/tls", "generators/artifact schema"},
	{"generators/nfs", "generators/artifact schema"},
	{"generators/vpn", "generators/artifact schema"},
	{"generators/firewall/netset", "schema"},
	{"generators/firewall/proof", "generators/firewall/netset schema schema/finding"},
	{"generators/firewall", "generators/artifact generators/firewall/netset generators/firewall/proof schema schema/finding"},
	{"generators/packages", "generators/artifact generators/firewall schema"},
	{"generators/engine", "generators/artifact generators/firewall generators/tls schema"},
	{"generators/stack/document", ""},
	{"generators/stack/dialect", "generators/stack/document schema schema/compose/format"},
	{"generators/stack", "generators/artifact generators/engine generators/nfs generators/stack/dialect generators/stack/document schema schema/compose schema/finding"},
	{"generators/runbook", "generators/artifact generators/engine generators/firewall generators/nfs generators/packages generators/stack generators/tls generators/vpn schema"},
	{"generators/images", "generators/artifact schema"},
	{"generators/gitops", "generators/artifact generators/stack schema"},
	{"generators/archive", "generators/artifact generators/images generators/packages schema"},
	{"generators/review", "generators/artifact generators/firewall generators/firewall/netset generators/firewall/proof generators/runbook generators/stack generators/vpn schema schema/compose"},
	{"generators/plan", "generators/artifact generators/engine generators/firewall generators/firewall/netset generators/firewall/proof generators/runbook generators/stack generators/tls schema schema/compose schema/finding"},
	{"generators", "generators/artifact generators/engine generators/firewall generators/gitops generators/images generators/nfs generators/packages generators/review generators/runbook generators/stack generators/tls generators/vpn schema"},
	{"examples", ""},
	{"schema/fix", "schema/finding"},
	{"cmd/skep/lsp", "schema/finding schema/finding/forge schema/fix"},
	{"cmd/site", "generators generators/review generators/runbook schema schema/finding schema/spec schema/written"},
	{"cmd/skep", "cmd/skep/lsp examples generators generators/archive generators/artifact generators/firewall generators/firewall/proof generators/images generators/plan generators/review schema schema/explain schema/finding schema/finding/forge schema/imported schema/jsonschema schema/lint schema/spec schema/waive schema/written"},
}

func TestImports(t *testing.T) {
	uses := importsBelow(t, "../..")
	before := map[string]bool{}
	for _, room := range rooms {
		want := strings.Fields(room.uses)
		for _, name := range uses[room.name] {
			if !slices.Contains(want, name) {
				t.Errorf("%s imports %s: may it? then say so in rooms", room.name, name)
			}
		}
		for _, name := range want {
			if !before[name] {
				t.Errorf("%s may use %s, which does not stand before it", room.name, name)
			}
			if !slices.Contains(uses[room.name], name) {
				t.Errorf("%s imports %s no more: take it out of rooms", room.name, name)
			}
		}
		before[room.name] = true
		delete(uses, room.name)
	}
	for name := range uses {
		t.Errorf("%s is a new package: put it into rooms, below what uses it", name)
	}
}

// importsBelow gives the packages of the repository that each one imports, without its tests.
func importsBelow(t *testing.T, top string) map[string][]string {
	t.Helper()
	uses := map[string][]string{}
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(top, file)
		name := filepath.ToSlash(filepath.Dir(rel))
		switch {
		case err != nil:
			return err
		case d.IsDir() && (filepath.Dir(rel) == "examples" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != "."):
			return fs.SkipDir // other modules and programs, which may use anything, and what is no program yet
		case !strings.HasSuffix(rel, ".go"), strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		uses[name] = append(uses[name], []string{}...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imported, "skep.dev/"); ok && !slices.Contains(uses[name], path.Clean(own)) {
				uses[name] = append(uses[name], path.Clean(own))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return uses
}
