package spec

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/token"
)

// briefSchema is the schema for a spec that is right. It has no messages: "X | error(...)" is X alone. And where a field is
// never written, its default is a value: "T & (*d | _)" is "T & d", which is the same unless something else decides the field,
// and a conflict then.
func briefSchema(isWritten map[string]bool) (*build.Instance, error) {
	return editedSchema(shortener{isWritten}.decls)
}

// shortener leaves out of the schema what a spec that is right does not need.
type shortener struct{ isWritten map[string]bool }

func (s shortener) decls(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			s.expr(d.Value)
			if name, _, err := ast.LabelName(d.Label); err == nil && !s.isWritten[name] {
				decide(d)
			}
		case *ast.Comprehension:
			s.expr(d.Value)
		}
	}
}

// expr changes expressions in their place: references point at what a field has for its value. "X & _" is X.
func (s shortener) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		s.expr(e.X)
		if e.Op == token.OR && isCallOf(e.Y, "error") {
			e.Op, e.Y = token.AND, ast.NewIdent("_")
		} else {
			s.expr(e.Y)
		}
	case *ast.ParenExpr:
		s.expr(e.X)
	case *ast.StructLit:
		s.decls(e.Elts)
	case *ast.ListLit:
		for _, element := range e.Elts {
			s.expr(element)
		}
	case *ast.Ellipsis:
		s.expr(e.Type)
	}
}

// decide makes a field's default its value.
func decide(f *ast.Field) {
	if rule, ok := f.Value.(*ast.BinaryExpr); ok && rule.Op == token.AND {
		if value := defaultOf(rule.Y); value != nil {
			rule.Y = value
		}
	}
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
