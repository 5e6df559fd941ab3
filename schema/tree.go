package schema

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// tree is what the CUE source says about one field, gathered over all files and conjuncts: where it stands, how it is
// written, and its fields. It needs no evaluation, so it is there for a spec that is wrong as well.
type tree struct {
	places   []place
	fields   map[string]*tree
	names    []string // of fields, in source order
	elements []*tree  // of a list, by index
	each     *tree    // a pattern, a computed label or the type of further elements: any name fits
	patterns []*ast.Field
	open     bool // some fields come from a reference, a comprehension or an embedding and may be unknown here
}

// place is one mention of a field.
type place struct {
	label      token.Pos
	expr       ast.Expr
	constraint token.Token // "?" or "!" or none
	doc        string
	certain    bool // not below an `if` or a `for`
}

// builder turns declarations into a tree. It follows references a bounded number of times, and so many within another:
// a spec may refer to itself.
type builder struct {
	resolve func(*ast.Ident) ast.Expr
	budget  int
	depth   int
}

const maxDepth = 8

func (b *builder) decls(t *tree, decls []ast.Decl, certain bool) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			b.field(t, d, certain)
		case *ast.EmbedDecl:
			t.open = true
			b.expr(t, d.Expr, certain)
		case *ast.Comprehension:
			t.open = true
			b.expr(t, d.Value, false)
		}
	}
}

func (b *builder) field(t *tree, f *ast.Field, certain bool) {
	b.budget--
	child := b.child(t, f.Label)
	child.places = append(child.places, place{label: f.Label.Pos(), expr: f.Value, constraint: f.Constraint, doc: docText(f), certain: certain})
	if list, ok := f.Label.(*ast.ListLit); ok && len(list.Elts) == 1 {
		t.patterns = append(t.patterns, f)
	}
	b.expr(child, f.Value, certain)
}

func (b *builder) child(t *tree, l ast.Label) *tree {
	if a, ok := l.(*ast.Alias); ok {
		if inner, ok := a.Expr.(ast.Label); ok {
			return b.child(t, inner)
		}
	}
	name, _, err := ast.LabelName(l)
	if err != nil { // a pattern or a computed name
		if _, pattern := l.(*ast.ListLit); !pattern {
			t.open = true
		}
		if t.each == nil {
			t.each = &tree{}
		}
		return t.each
	}
	if t.fields == nil {
		t.fields = map[string]*tree{}
	}
	if t.fields[name] == nil {
		t.fields[name] = &tree{}
		t.names = append(t.names, name)
	}
	return t.fields[name]
}

func (b *builder) expr(t *tree, e ast.Expr, certain bool) {
	switch e := e.(type) {
	case *ast.StructLit:
		b.decls(t, e.Elts, certain)
	case *ast.ParenExpr:
		b.expr(t, e.X, certain)
	case *ast.PostfixExpr:
		b.expr(t, e.X, certain)
	case *ast.UnaryExpr:
		b.expr(t, e.X, certain)
	case *ast.BinaryExpr:
		if e.Op != token.AND && e.Op != token.OR {
			return // arithmetic
		}
		certain = certain && e.Op == token.AND
		b.expr(t, e.X, certain)
		b.expr(t, e.Y, certain)
	case *ast.ListLit:
		b.list(t, e, certain)
	case *ast.Ident:
		target := b.resolve(e)
		if target == nil || b.budget <= 0 || b.depth >= maxDepth {
			t.open = true
			return
		}
		b.budget--
		b.depth++
		b.expr(t, target, certain)
		b.depth--
	case *ast.BasicLit, *ast.Interpolation, *ast.BottomLit:
	default:
		t.open = true
	}
}

func (b *builder) list(t *tree, l *ast.ListLit, certain bool) {
	for i, elt := range l.Elts {
		if more, ok := elt.(*ast.Ellipsis); ok {
			if t.each == nil {
				t.each = &tree{}
			}
			if more.Type != nil {
				t.each.places = append(t.each.places, place{label: more.Pos(), expr: more.Type, certain: certain})
				b.expr(t.each, more.Type, certain)
			}
			continue
		}
		if c, ok := elt.(*ast.Comprehension); ok {
			t.open = true
			b.expr(t, c.Value, false)
			return
		}
		if i >= len(t.elements) {
			t.elements = append(t.elements, &tree{})
		}
		child := t.elements[min(i, len(t.elements)-1)]
		child.places = append(child.places, place{label: elt.Pos(), expr: elt, certain: certain})
		b.expr(child, elt, certain)
	}
}

// at follows one element of a path: a field, an index, or else what stands for any name. It is nil when there is none.
func (t *tree) at(element string) *tree {
	if child := t.fields[element]; child != nil {
		return child
	}
	if i, ok := index(element); ok && i < len(t.elements) {
		return t.elements[i]
	}
	return t.each
}

// find follows a path as far as it goes, and tells how many elements that was.
func (t *tree) find(path []string) (deepest *tree, depth int) {
	for i, element := range path {
		next := t.at(element)
		if next == nil || len(next.places) == 0 {
			return t, i
		}
		t = next
	}
	return t, len(path)
}

func index(element string) (int, bool) {
	n := 0
	for _, r := range element {
		if r < '0' || r > '9' || n > 1<<24 {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	return n, element != ""
}

// docText gives the comment that stands above a field, or behind it, as one paragraph.
func docText(f *ast.Field) string {
	text := ""
	for _, g := range f.Comments() {
		if g.Doc || g.Line {
			if text != "" {
				text += " "
			}
			text += joinLines(g.Text())
		}
	}
	return text
}
