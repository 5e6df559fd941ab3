package spec

import (
	"slices"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"

	"skep.dev/schema"
	"skep.dev/schema/written"
)

// TestReferencesAreListed finds the field of a service that is a name, so of a node, and that nobody looks up.
func TestReferencesAreListed(t *testing.T) {
	definition, err := newReader(&source{Instance: &build.Instance{}}).definition()
	if err != nil {
		t.Fatal(err)
	}
	listed := namesBelow(definition.LookupPath(cue.ParsePath("#references")))
	found := 0
	var walk func(path []string, f *written.Field)
	walk = func(path []string, f *written.Field) {
		isName := slices.ContainsFunc(f.Mentions, func(m written.Mention) bool { return mentions(m.Expr, "#Name") })
		if isName {
			found++
			if !slices.Contains(listed, schema.JoinPath(path...)) {
				t.Errorf("%s is the name of a node, and #references does not have it", schema.JoinPath(path...))
			}
		}
		for _, name := range f.Shown() {
			walk(append(slices.Clone(path), name), f.Fields[name])
		}
	}
	walk([]string{"services"}, written.NewSchema().Root.Fields["services"])
	if found != len(listed) {
		t.Errorf("%d fields are names, and #references has %q", found, listed)
	}
}

// mentions reports whether an expression has the identifier outside of any struct.
func mentions(e ast.Expr, name string) (found bool) {
	ast.Walk(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		_, isStruct := n.(*ast.StructLit)
		return !isStruct
	}, nil)
	return found
}
