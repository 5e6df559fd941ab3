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
	doubts  int // how many `if`, `for` and `|` are around: what is below one may not hold
}

// perhaps adds an expression that may not hold.
func (b *builder) perhaps(t *tree, e ast.Expr) {
	b.doubts++
	b.expr(t, e)
	b.doubts--
}

// place is a mention of a field here.
func (b *builder) place(label token.Pos, e ast.Expr) place {
	return place{label: label, expr: e, certain: b.doubts == 0}
}

const maxDepth = 8

func (b *builder) decls(t *tree, decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			b.field(t, d)
		case *ast.EmbedDecl:
			t.open = true
			b.expr(t, d.Expr)
		case *ast.Comprehension:
			t.open = true
			b.perhaps(t, d.Value)
		}
	}
}

func (b *builder) field(t *tree, f *ast.Field) {
	b.budget--
	child := b.child(t, f.Label)
	p := b.place(f.Label.Pos(), f.Value)
	p.constraint, p.doc = f.Constraint, docText(f)
	child.places = append(child.places, p)
	if list, ok := f.Label.(*ast.ListLit); ok && len(list.Elts) == 1 {
		t.patterns = append(t.patterns, f)
	}
	b.expr(child, f.Value)
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

func (b *builder) expr(t *tree, e ast.Expr) {
	switch e := e.(type) {
	case *ast.StructLit:
		b.decls(t, e.Elts)
	case *ast.ParenExpr:
		b.expr(t, e.X)
	case *ast.PostfixExpr:
		b.expr(t, e.X)
	case *ast.UnaryExpr:
		b.expr(t, e.X)
	case *ast.BinaryExpr:
		switch e.Op { // the others are arithmetic
		case token.AND:
			b.expr(t, e.X)
			b.expr(t, e.Y)
		case token.OR:
			b.perhaps(t, e.X)
			b.perhaps(t, e.Y)
		}
	case *ast.ListLit:
		b.list(t, e)
	case *ast.Ident:
		target := b.resolve(e)
		if target == nil || b.budget <= 0 || b.depth >= maxDepth {
			t.open = true
			return
		}
		b.budget--
		b.depth++
		b.expr(t, target)
		b.depth--
	case *ast.BasicLit, *ast.Interpolation, *ast.BottomLit:
	default:
		t.open = true
	}
}

func (b *builder) list(t *tree, l *ast.ListLit) {
	for i, elt := range l.Elts {
		if more, ok := elt.(*ast.Ellipsis); ok {
			if t.each == nil {
				t.each = &tree{}
			}
			if more.Type != nil {
				t.each.places = append(t.each.places, b.place(more.Pos(), more.Type))
				b.expr(t.each, more.Type)
			}
			continue
		}
		if c, ok := elt.(*ast.Comprehension); ok {
			t.open = true
			b.perhaps(t, c.Value)
			return
		}
		if i >= len(t.elements) {
			t.elements = append(t.elements, &tree{})
		}
		child := t.elements[min(i, len(t.elements)-1)]
		child.places = append(child.places, b.place(elt.Pos(), elt))
		b.expr(child, elt)
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
	for _, g := range ast.Comments(f) {
		if g.Doc || g.Line {
			if text != "" {
				text += " "
			}
			text += joinLines(g.Text())
		}
	}
	return text
}
