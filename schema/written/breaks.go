package written

import (
	"regexp"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// Breaks says what a definition such as "#Label" wants, where a text is not that. Of a rule it knows the patterns alone.
func (s *Schema) Breaks(definition, text string) string {
	if e := s.defs[definition]; e != nil && !s.fits(e, text) {
		return s.exprRule(e, 0)
	}
	return ""
}

// BreaksName says the same of a name for one of the fields of a field, such as "nodes" or "nodes.*.labels".
func (s *Schema) BreaksName(field, name string) string {
	t, _ := s.Root.Find(strings.Split(field, "."))
	for _, p := range t.Patterns {
		want, isRule := ErrorText(p.Value)
		if label, ok := p.Label.(*ast.ListLit); ok && isRule && s.fits(label.Elts[0], name) {
			return want
		}
	}
	return ""
}

func (s *Schema) fits(e ast.Expr, text string) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.fits(e.X, text)
	case *ast.BinaryExpr:
		if _, isError := ErrorText(e.Y); isError || e.Op == token.AND && !s.fits(e.X, text) {
			return s.fits(e.X, text)
		}
		return e.Op == token.OR && s.fits(e.X, text) || s.fits(e.Y, text)
	case *ast.UnaryExpr:
		lit, ok := e.X.(*ast.BasicLit)
		if !ok {
			return true
		}
		pattern, err := literal.Unquote(lit.Value)
		if err != nil {
			return true
		}
		matches, err := regexp.MatchString(pattern, text)
		return err != nil || matches == (e.Op == token.MAT)
	case *ast.Ident:
		if target := s.defs[e.Name]; target != nil {
			return s.fits(target, text)
		}
	}
	return true
}
