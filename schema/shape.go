package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// shape is the schema as it is written: it knows the fields of every part of a spec, their rules, defaults and comments.
type shape struct {
	root  *tree
	defs  map[string]ast.Expr
	rules map[string]bool // every text of an error() in the schema
}

// derived fields follow from the others; a spec never sets them.
func isDerived(name string) bool { return name == "secrets" || name == "networks" }

// isOwnRow reports whether a path leads into a row of exposures that follows from other fields.
func (s *shape) isOwnRow(path []string) bool {
	if len(path) < 2 || path[0] != "exposures" {
		return false
	}
	lit, ok := s.defs["#OwnRow"].(*ast.BasicLit)
	if !ok {
		return false
	}
	pattern, err := literal.Unquote(lit.Value)
	if err != nil {
		return false
	}
	own, err := regexp.MatchString(pattern, path[1])
	return err == nil && own
}

// newShape reads the embedded files; they are valid, since Load's tests compile them.
func newShape() *shape { return shapeOf(Vendored()) }

func shapeOf(files map[string][]byte) *shape {
	s := &shape{root: &tree{}, defs: map[string]ast.Expr{}, rules: map[string]bool{}}
	var clusters []*ast.Field
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := parser.ParseFile(name, files[name], parser.ParseComments)
		if err != nil {
			continue
		}
		for _, d := range f.Decls {
			field, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			label, _, err := ast.LabelName(field.Label)
			switch {
			case err != nil:
			case label == "#Cluster":
				clusters = append(clusters, field)
			default:
				s.defs[label] = field.Value
			}
		}
		ast.Walk(f, func(n ast.Node) bool {
			if text, ok := errorText(n); ok {
				s.rules[text] = true
			}
			return true
		}, nil)
	}
	b := builder{resolve: s.resolve, budget: 1 << 16}
	// cluster.cue has the comments and the order; the other files only add derived rows and checks.
	for _, c := range clusters {
		b.expr(s.root, c.Value)
	}
	s.root.names = s.order(s.root.names)
	if rows := s.root.fields["exposures"]; rows != nil { // those with a name follow from other fields
		patterns := rows.patterns
		*rows = tree{places: rows.places, open: true}
		for _, p := range patterns {
			b.field(rows, p)
		}
	}
	return s
}

func (s *shape) resolve(id *ast.Ident) ast.Expr { return s.defs[id.Name] }

// order puts the fields of the cluster in the order of cluster.cue, which is that of the reader.
func (s *shape) order(names []string) []string {
	src := string(Vendored()[vendorDir+"/cluster.cue"])
	slices.SortStableFunc(names, func(a, b string) int { return fieldOffset(src, a) - fieldOffset(src, b) })
	return names
}

func fieldOffset(src, name string) int {
	for _, mark := range []string{":", "!:", "?:"} {
		if i := strings.Index(src, "\n\t"+name+mark); i >= 0 {
			return i
		}
	}
	return len(src)
}

// errorText gives the text of a call error("...") without interpolations.
func errorText(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	if fun, ok := call.Fun.(*ast.Ident); !ok || fun.Name != "error" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := literal.Unquote(lit.Value)
	return text, err == nil
}

// rule gives the error text of a field: what it wants.
func (s *shape) rule(t *tree) string {
	for _, p := range t.places {
		if _, ofName := errorText(p.expr); ofName {
			continue // `[!~"^[a-z]+$"]: error("...")` is about the name of the field
		}
		if text := s.exprRule(p.expr, 0); text != "" {
			return text
		}
	}
	return ""
}

func (s *shape) exprRule(e ast.Expr, depth int) string {
	if text, ok := errorText(e); ok {
		return text
	}
	if depth > 8 {
		return ""
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.exprRule(e.X, depth+1)
	case *ast.BinaryExpr:
		// In `#Domain | #IP | error("...")` the last word is the error's.
		if text, ok := errorText(e.Y); ok {
			return text
		}
		if text := s.exprRule(e.X, depth+1); text != "" {
			return text
		}
		return s.exprRule(e.Y, depth+1)
	case *ast.Ident:
		if target := s.defs[e.Name]; target != nil {
			return s.exprRule(target, depth+1)
		}
	}
	return ""
}

// want says what belongs at a field, for a value of quite another kind.
func (s *shape) want(t *tree) string {
	if text := s.rule(t); text != "" {
		return text
	}
	if value, ok := s.fact(t); ok {
		return "is always " + value + " and cannot be set"
	}
	if isComputed(t) {
		return computedRule
	}
	switch {
	case len(s.visible(t)) > 0:
		return "want the fields " + strings.Join(s.visible(t), ", ")
	case t.isList():
		if text := s.rule(t.each); text != "" {
			return "want a list; for each element, " + text
		}
		return "want a list"
	case t.each != nil:
		return "want fields, each with a name of your choice"
	case len(t.places) > 0:
		return "want fields"
	}
	return ""
}

func (t *tree) isList() bool {
	for _, p := range t.places {
		found := false
		ast.Walk(p.expr, func(n ast.Node) bool {
			_, isStruct := n.(*ast.StructLit)
			_, isList := n.(*ast.ListLit)
			found = found || isList
			return !isStruct
		}, nil)
		if found {
			return true
		}
	}
	return false
}

// visible gives the names of the fields that a spec may set.
func (s *shape) visible(t *tree) []string {
	var names []string
	for _, n := range t.names {
		if isHidden(n) || t == s.root && isDerived(n) || s.isFixed(t.fields[n]) || isComputed(t.fields[n]) {
			continue
		}
		names = append(names, n)
	}
	return names
}

func isHidden(name string) bool { return strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#") }

// isFixed reports whether a field is a fact, or holds nothing but facts.
func (s *shape) isFixed(t *tree) bool {
	if _, ok := s.fact(t); ok {
		return true
	}
	for _, child := range t.fields {
		if !s.isFixed(child) {
			return false
		}
	}
	return len(t.fields) > 0
}

// fact gives the value of a field that has one and only one.
func (s *shape) fact(t *tree) (string, bool) {
	if len(t.places) != 1 || len(t.fields) > 0 {
		return "", false
	}
	switch e := t.places[0].expr.(type) {
	case *ast.BasicLit:
		return e.Value, true
	default:
		return "", false
	}
}

// computedRule is what a spec hears that sets what the schema computes.
const computedRule = "is derived from other fields and cannot be set"

// isComputed reports whether a field's value is an expression over other fields, without a choice.
func isComputed(t *tree) bool {
	if len(t.places) == 0 || len(t.fields) > 0 {
		return false
	}
	return !slices.ContainsFunc(t.places, func(p place) bool { return !computes(p.expr) })
}

func computes(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return computes(e.X)
	case *ast.BinaryExpr: // the others are choices and bounds
		return slices.Contains([]token.Token{token.ADD, token.SUB, token.MUL, token.QUO}, e.Op)
	case *ast.CallExpr:
		_, isRule := errorText(e)
		return !isRule
	case *ast.IndexExpr, *ast.SelectorExpr, *ast.Interpolation:
		return true
	}
	return false
}

// fallback gives a field's default as it is written, or "".
func (s *shape) fallback(t *tree) string {
	text := ""
	for _, p := range t.places {
		ast.Walk(p.expr, func(n ast.Node) bool {
			if _, isStruct := n.(*ast.StructLit); isStruct {
				return false
			}
			if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.MUL && text == "" {
				text = sourceText(u.X)
			}
			return true
		}, nil)
	}
	return text
}

func (t *tree) has(constraint token.Token) bool {
	return slices.ContainsFunc(t.places, func(p place) bool { return p.constraint == constraint })
}

func (t *tree) required() bool { return t.has(token.NOT) }
func (t *tree) optional() bool { return t.has(token.OPTION) }

func (t *tree) doc() string {
	for _, p := range t.places {
		if p.doc != "" {
			return p.doc
		}
	}
	return ""
}

// sourceText writes an expression on one line.
func sourceText(e ast.Expr) string {
	b, err := format.Node(e, format.Simplify())
	if err != nil {
		return ""
	}
	return joinLines(string(b))
}
