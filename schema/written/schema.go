package written

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
)

// Schema is the schema as it is written: it knows the fields of every part of a spec, their rules, defaults and comments.
type Schema struct {
	Root  *Field
	defs  map[string]ast.Expr
	rules map[string]bool // every text of an error() in the schema
	own   []string        // patterns of rows of exposures that follow from other fields
}

// Derived are the fields at the top that follow from the others; a spec never sets them.
func Derived() []string { return []string{"secrets", "networks", "rows"} }

// IsDerived reports whether a field at the top follows from the others.
func IsDerived(name string) bool { return slices.Contains(Derived(), name) }

// IsOwnRow reports whether a path leads into a row of exposures that follows from other fields.
func (s *Schema) IsOwnRow(path []string) bool {
	if len(path) < 2 || path[0] != "exposures" {
		return false
	}
	return slices.ContainsFunc(s.own, func(pattern string) bool {
		own, err := regexp.MatchString("^("+pattern+")$", path[1])
		return err == nil && own
	})
}

// OwnRows are the patterns of names of exposures that follow from other fields.
func (s *Schema) OwnRows() []string { return s.own }

// Definition is what the schema says of a name such as "#Port", or nil.
func (s *Schema) Definition(name string) ast.Expr { return s.defs[name] }

// NewSchema reads the embedded files, once; they are valid, since Load's tests compile them.
func NewSchema() *Schema { return embedded() }

var embedded = sync.OnceValue(func() *Schema { return schemaOf(schema.Vendored()) })

func schemaOf(files map[string][]byte) *Schema {
	s := &Schema{Root: &Field{}, defs: map[string]ast.Expr{}, rules: map[string]bool{}}
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
			case label == "#OwnRows":
				s.own = append(s.own, labels(field.Value)...)
			default:
				s.defs[label] = field.Value
			}
		}
		ast.Walk(f, func(n ast.Node) bool {
			if text, ok := ErrorText(n); ok {
				s.rules[text] = true
			}
			return true
		}, nil)
	}
	b := builder{resolve: s.resolve, budget: 1 << 16}
	// cluster.cue has the comments and the order; the other files only add derived rows and checks.
	for _, c := range clusters {
		b.expr(s.Root, c.Value)
	}
	s.Root.Names = s.order(s.Root.Names)
	if rows := s.Root.Fields["exposures"]; rows != nil { // those with a name follow from other fields
		patterns := rows.Patterns
		*rows = Field{Mentions: rows.Mentions, Open: true}
		for _, p := range patterns {
			b.field(rows, p)
		}
	}
	return s
}

// labels gives the names of the fields of a struct.
func labels(e ast.Expr) []string {
	var names []string
	if s, ok := e.(*ast.StructLit); ok {
		for _, d := range s.Elts {
			if field, ok := d.(*ast.Field); ok {
				if name, _, err := ast.LabelName(field.Label); err == nil {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// IsRule reports whether a text is that of an error() in the schema.
func (s *Schema) IsRule(text string) bool { return s.rules[text] }

func (s *Schema) resolve(id *ast.Ident) ast.Expr { return s.defs[id.Name] }

// order puts the fields of the cluster in the order of cluster.cue, which is that of the reader.
func (s *Schema) order(names []string) []string {
	src := string(schema.Vendored()[schema.VendorDir+"/cluster.cue"])
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

// ErrorText gives the text of a call error("...") without interpolations.
func ErrorText(n ast.Node) (string, bool) {
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

// Rule gives the error text of a field: what it wants.
func (s *Schema) Rule(t *Field) string {
	for _, p := range t.Mentions {
		if _, ofName := ErrorText(p.Expr); ofName {
			continue // `[!~"^[a-z]+$"]: error("...")` is about the name of the field
		}
		if text := s.exprRule(p.Expr, 0); text != "" {
			return text
		}
	}
	return ""
}

func (s *Schema) exprRule(e ast.Expr, depth int) string {
	if text, ok := ErrorText(e); ok {
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
		if text, ok := ErrorText(e.Y); ok {
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

// Want says what belongs at a field, for a value of quite another kind.
func (s *Schema) Want(t *Field) string {
	if text := s.Rule(t); text != "" {
		return text
	}
	if value, ok := s.Fact(t); ok {
		return "is always " + value + " and cannot be set"
	}
	if IsComputed(t) {
		return ComputedRule
	}
	switch {
	case len(s.Visible(t)) > 0:
		return "want fields, any of " + strings.Join(s.Visible(t), ", ")
	case t.IsList():
		if text := s.Rule(t.Each); text != "" {
			return "want a list; for each element, " + text
		}
		return "want a list, in brackets"
	case t.Each != nil:
		return "want fields with names of your choice"
	case len(t.Mentions) > 0:
		return "want fields"
	}
	return ""
}

// IsList reports whether a list may stand at the field.
func (t *Field) IsList() bool {
	for _, p := range t.Mentions {
		found := false
		ast.Walk(p.Expr, func(n ast.Node) bool {
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

// Visible gives the names of the fields that a spec may set.
func (s *Schema) Visible(t *Field) []string {
	var names []string
	for _, n := range t.Names {
		if IsHidden(n) || t == s.Root && IsDerived(n) || s.IsFixed(t.Fields[n]) || IsComputed(t.Fields[n]) {
			continue
		}
		names = append(names, n)
	}
	return names
}

// IsHidden reports whether a name is internal to the schema.
func IsHidden(name string) bool { return strings.HasPrefix(name, "_") || strings.HasPrefix(name, "#") }

// IsFixed reports whether a field is a fact, or holds nothing but facts.
func (s *Schema) IsFixed(t *Field) bool {
	if _, ok := s.Fact(t); ok {
		return true
	}
	for _, child := range t.Fields {
		if !s.IsFixed(child) {
			return false
		}
	}
	return len(t.Fields) > 0
}

// Fact gives the value of a field that has one and only one.
func (s *Schema) Fact(t *Field) (string, bool) {
	if len(t.Mentions) != 1 || len(t.Fields) > 0 {
		return "", false
	}
	switch e := t.Mentions[0].Expr.(type) {
	case *ast.BasicLit:
		return e.Value, true
	default:
		return "", false
	}
}

// DerivedRule is what a spec hears that sets rows which follow from its other fields.
const DerivedRule = "is derived from the other fields and cannot be set; remove it"

// OwnRowRule is what a spec hears that sets a row of exposures which follows from other fields.
const OwnRowRule = "is a reserved name: skep derives this row; choose another name"

// ComputedRule is what a spec hears that sets what the schema computes.
const ComputedRule = "is derived from other fields and cannot be set"

// IsComputed reports whether a field's value is an expression over other fields, without a choice.
func IsComputed(t *Field) bool {
	if len(t.Mentions) == 0 || len(t.Fields) > 0 {
		return false
	}
	return !slices.ContainsFunc(t.Mentions, func(p Mention) bool { return !computes(p.Expr) })
}

func computes(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return computes(e.X)
	case *ast.BinaryExpr: // the others are choices and bounds
		return slices.Contains([]token.Token{token.ADD, token.SUB, token.MUL, token.QUO}, e.Op)
	case *ast.CallExpr:
		_, isRule := ErrorText(e)
		return !isRule
	case *ast.IndexExpr, *ast.SelectorExpr, *ast.Interpolation:
		return true
	}
	return false
}

// Fallback gives a field's default as it is written, or "".
func (s *Schema) Fallback(t *Field) string {
	text := ""
	for _, p := range t.Mentions {
		ast.Walk(p.Expr, func(n ast.Node) bool {
			if _, isStruct := n.(*ast.StructLit); isStruct {
				return false
			}
			if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.MUL && text == "" {
				text = SourceText(u.X)
			}
			return true
		}, nil)
	}
	return text
}

func (t *Field) has(constraint token.Token) bool {
	return slices.ContainsFunc(t.Mentions, func(p Mention) bool { return p.Constraint == constraint })
}

// Required reports whether a spec must have the field.
func (t *Field) Required() bool { return t.has(token.NOT) }

// Optional reports whether the field is off when a spec leaves it out.
func (t *Field) Optional() bool { return t.has(token.OPTION) }

// Shown gives the names of the fields that are not internal to the schema.
func (t *Field) Shown() []string {
	var names []string
	for _, n := range t.Names {
		if !IsHidden(n) {
			names = append(names, n)
		}
	}
	return names
}

func (t *Field) doc() string {
	for _, p := range t.Mentions {
		if p.Doc != "" {
			return p.Doc
		}
	}
	return ""
}
