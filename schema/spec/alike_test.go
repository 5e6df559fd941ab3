package spec

import (
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"

	"skep.dev/schema"
)

// definitions gives the values of the schema's definitions; #Cluster has several.
func definitions(t *testing.T) map[string][]ast.Expr {
	t.Helper()
	inst, err := schemaInstance()
	if err != nil {
		t.Fatal(err)
	}
	defs := map[string][]ast.Expr{}
	for _, f := range inst.Files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok {
				name, _, _ := ast.LabelName(field.Label)
				defs[name] = append(defs[name], field.Value)
			}
		}
	}
	return defs
}

// TestNodeReadsNothing holds what lets one node be the copy of another: in #Node nothing follows from another field of the
// node or from its name. All that it names are definitions of the same kind, types and functions of CUE.
func TestNodeReadsNothing(t *testing.T) {
	defs := definitions(t)
	for _, complaint := range follows(defs, "#Node", map[string]bool{}) {
		t.Errorf("%s: copies of a node would have that of their model (alike.go)", complaint)
	}
	for _, other := range []string{"#S3", "#Traefik", "#VPNAccess"} {
		if len(follows(defs, other, map[string]bool{})) == 0 {
			t.Errorf("%s: a field that follows from another was not seen", other)
		}
	}
}

// follows lists what in a definition follows from something else.
func follows(defs map[string][]ast.Expr, name string, seen map[string]bool) (complaints []string) {
	if seen[name] {
		return nil
	}
	seen[name] = true
	predeclared := []string{"string", "int", "bool", "number", "float", "bytes", "error", "_", "len", "div", "mod"}
	var look func(n ast.Node) bool
	look = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if pattern, ok := n.Label.(*ast.ListLit); ok {
				ast.Walk(pattern, look, nil)
			}
			ast.Walk(n.Value, look, nil)
			return false
		case *ast.SelectorExpr:
			ast.Walk(n.X, look, nil)
			return false
		case *ast.Alias, *ast.LetClause, *ast.Comprehension, *ast.Interpolation:
			complaints = append(complaints, name+" has "+sourceOf(n))
			return false
		case *ast.Ident:
			_, isImport := n.Node.(*ast.ImportSpec)
			switch {
			case strings.HasPrefix(n.Name, "#") && defs[n.Name] != nil:
				complaints = append(complaints, follows(defs, n.Name, seen)...)
			case !isImport && !slices.Contains(predeclared, n.Name):
				complaints = append(complaints, name+" reads "+n.Name)
			}
		}
		return true
	}
	for _, e := range defs[name] {
		ast.Walk(e, look, nil)
	}
	return complaints
}

// What the cluster reads of its nodes. A copy must not change any of it:
var readOfNodes = []string{
	// whether a name is there; those that the spec mentions are no copies
	`for k, _ in nodes {(k): true}`,
	`len(_names)`,
	// managers, which are no copies
	`for k, n in nodes if n.role == "manager" {(k): true}`,
	// whether there is a node on IPv6: one of each family is no copy
	`for k, n in nodes if n.address =~ ":" {k}`,
	`len(_six)`,
	// the addresses of nodes that the spec mentions, or of managers
	`for n in services.traefik.nodes for k, m in nodes if k == n for a in [[if m.public != _|_ {m.public}, m.address][0]] if a !~ ":" {a}`,
	// the names for each port of sshd: where there are several there are no copies
	`for k, n in nodes {"\(n.ssh.port)": (k): true}`,
	`len(_sshPorts)`,
	`for p, on in _sshPorts`,
}

// TestAlikeHolds finds each place of #Cluster that reads nodes, or what is made of all of them.
func TestAlikeHolds(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range definitions(t)["#Cluster"] {
		for _, text := range reads(e) {
			known := slices.IndexFunc(readOfNodes, func(s string) bool { return strings.HasPrefix(text, s) })
			if known < 0 {
				t.Errorf("a new place reads nodes: %s\nMay one node be the copy of another all the same (alike.go)? Then list it above.", text)
				continue
			}
			seen[readOfNodes[known]] = true
		}
	}
	for _, text := range readOfNodes {
		if !seen[text] {
			t.Errorf("no place reads %s", text)
		}
	}
}

// reads gives, for each mention of the nodes, the loop or call that it stands in.
func reads(e ast.Expr) (places []string) {
	var around []ast.Node
	note := func() {
		for i := len(around) - 2; i >= 0; i-- {
			switch around[i].(type) {
			case *ast.Comprehension, *ast.CallExpr, *ast.IndexExpr, *ast.SelectorExpr, *ast.Field:
				places = append(places, sourceOf(around[i]))
				return
			}
		}
	}
	ast.Walk(e, func(n ast.Node) bool {
		around = append(around, n)
		if id, ok := n.(*ast.Ident); ok && slices.Contains([]string{"nodes", "_names", "_six", "_sshPorts"}, id.Name) {
			field, _ := around[len(around)-2].(*ast.Field)
			selector, _ := around[len(around)-2].(*ast.SelectorExpr)
			if (field == nil || field.Label != n) && (selector == nil || selector.Sel != n) {
				note()
			}
		}
		return true
	}, func(ast.Node) { around = around[:len(around)-1] })
	return places
}

// sourceOf gives a part of the schema as it is written, on one line.
func sourceOf(n ast.Node) string {
	text := schema.Vendored()[n.Pos().Filename()]
	return strings.Join(strings.Fields(string(text[n.Pos().Offset():n.End().Offset()])), " ")
}
