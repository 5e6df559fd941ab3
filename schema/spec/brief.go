package spec

import (
	"maps"
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
)

// briefSchema is the schema for a spec that is right. It has no messages: "X | error(...)" is X alone. And where a field is
// never written, its default is a value: "T & (*d | _)" is "T & d", which is the same unless something else decides the field,
// and a conflict then.
func briefSchema(isWritten map[string]bool) (*build.Instance, error) {
	inst := build.NewContext().NewInstance("", nil)
	inst.ImportPath = schema.ImportPath
	files := schema.Vendored()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(name, files[name])
		if err != nil {
			return nil, err
		}
		if err := inst.AddSyntax(shorten(f, isWritten)); err != nil {
			return nil, err
		}
	}
	return inst, nil
}

func shorten(f *ast.File, isWritten map[string]bool) *ast.File {
	return astutil.Apply(f, nil, func(c astutil.Cursor) bool {
		switch n := c.Node().(type) {
		case *ast.BinaryExpr:
			if n.Op == token.OR && isCallOf(n.Y, "error") {
				c.Replace(n.X)
			}
		case *ast.Field:
			if name, _, err := ast.LabelName(n.Label); err == nil && !isWritten[name] {
				if rule, ok := n.Value.(*ast.BinaryExpr); ok && rule.Op == token.AND {
					if value := defaultOf(rule.Y); value != nil {
						rule.Y = value
					}
				}
			}
		}
		return true
	}).(*ast.File)
}

// defaultOf gives d of (*d | _), or nil.
func defaultOf(e ast.Expr) ast.Expr {
	paren, ok := e.(*ast.ParenExpr)
	if !ok {
		return nil
	}
	either, ok := paren.X.(*ast.BinaryExpr)
	if !ok || either.Op != token.OR {
		return nil
	}
	first, ok := either.X.(*ast.UnaryExpr)
	anything, isName := either.Y.(*ast.Ident)
	if !ok || first.Op != token.MUL || !isName || anything.Name != "_" {
		return nil
	}
	return first.X
}

func isCallOf(e ast.Expr, name string) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == name
}

// labelsOf gives the names of all fields of a spec.
func labelsOf(files []*ast.File) map[string]bool {
	labels := map[string]bool{}
	for _, f := range files {
		ast.Walk(f, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok {
				if name, _, err := ast.LabelName(field.Label); err == nil {
					labels[name] = true
				}
			}
			return true
		}, nil)
	}
	return labels
}
