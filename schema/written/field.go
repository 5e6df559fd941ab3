// Package written holds CUE as it is written, before any evaluation: the schema's text and a spec's, field by field.
//
// Of the schema it tells the fields of a spec with their rules, defaults and comments; of a spec, where each field stands.
// Both are there for a spec that is wrong as well.
package written

import (
	"slices"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// Field is what the CUE source says about one field, gathered over all files and conjuncts: where it stands, how it is
// written, and its fields. It needs no evaluation, so it is there for a spec that is wrong as well.
type Field struct {
	Mentions []Mention
	Fields   map[string]*Field
	Names    []string // of Fields, in source order
	Elements []*Field // of a list, by index
	Each     *Field   // a pattern, a computed label or the type of further elements: any name fits
	Patterns []*ast.Field
	Open     bool // some fields come from a reference, a comprehension or an embedding and may be unknown here
}

// Mention is one place where a field is written.
type Mention struct {
	Label      token.Pos
	Expr       ast.Expr
	Constraint token.Token // "?" or "!" or none
	Doc        string
	Sample     string // a value, by @example
	Certain    bool   // not below an `if` or a `for`
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
func (b *builder) perhaps(t *Field, e ast.Expr) {
	b.doubts++
	b.expr(t, e)
	b.doubts--
}

// mention is of a field that is written here.
func (b *builder) mention(label token.Pos, e ast.Expr) Mention {
	return Mention{Label: label, Expr: e, Certain: b.doubts == 0}
}

const maxDepth = 8

func (b *builder) decls(t *Field, decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			b.field(t, d)
		case *ast.EmbedDecl:
			t.Open = true
			b.expr(t, d.Expr)
		case *ast.Comprehension:
			t.Open = true
			b.perhaps(t, d.Value)
		}
	}
}

func (b *builder) field(t *Field, f *ast.Field) {
	b.budget--
	child := b.child(t, f.Label)
	p := b.mention(f.Label.Pos(), f.Value)
	p.Constraint, p.Doc = f.Constraint, docText(f)
	_, isPattern := f.Label.(*ast.ListLit)
	if sample := sampleOf(f); !isPattern {
		p.Sample = sample
	}
	child.Mentions = append(child.Mentions, p)
	if list, ok := f.Label.(*ast.ListLit); ok && len(list.Elts) == 1 {
		t.Patterns = append(t.Patterns, f)
	}
	b.expr(child, f.Value)
}

func (b *builder) child(t *Field, l ast.Label) *Field {
	if a, ok := l.(*ast.Alias); ok {
		if inner, ok := a.Expr.(ast.Label); ok {
			return b.child(t, inner)
		}
	}
	name, _, err := ast.LabelName(l)
	if err != nil { // a pattern or a computed name
		if _, pattern := l.(*ast.ListLit); !pattern {
			t.Open = true
		}
		if t.Each == nil {
			t.Each = &Field{}
		}
		return t.Each
	}
	if t.Fields == nil {
		t.Fields = map[string]*Field{}
	}
	if t.Fields[name] == nil {
		t.Fields[name] = &Field{}
		t.Names = append(t.Names, name)
	}
	return t.Fields[name]
}

func (b *builder) expr(t *Field, e ast.Expr) {
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
			t.Open = true
			return
		}
		b.budget--
		b.depth++
		b.expr(t, target)
		b.depth--
	case *ast.BasicLit, *ast.Interpolation, *ast.BottomLit:
	default:
		t.Open = true
	}
}

func (b *builder) list(t *Field, l *ast.ListLit) {
	for i, elt := range l.Elts {
		if more, ok := elt.(*ast.Ellipsis); ok {
			if t.Each == nil {
				t.Each = &Field{}
			}
			if more.Type != nil {
				t.Each.Mentions = append(t.Each.Mentions, b.mention(more.Pos(), more.Type))
				b.expr(t.Each, more.Type)
			}
			continue
		}
		if c, ok := elt.(*ast.Comprehension); ok {
			t.Open = true
			b.perhaps(t, c.Value)
			return
		}
		if i >= len(t.Elements) {
			t.Elements = append(t.Elements, &Field{})
		}
		child := t.Elements[min(i, len(t.Elements)-1)]
		child.Mentions = append(child.Mentions, b.mention(elt.Pos(), elt))
		b.expr(child, elt)
	}
}

// IsCertain reports whether the user wrote the field outside of any `if` or `for`.
func (t *Field) IsCertain() bool {
	return slices.ContainsFunc(t.Mentions, func(p Mention) bool { return p.Certain })
}

// IsStruct reports whether a field is written as nothing but fields; the spec itself (no path) is.
func (t *Field) IsStruct(path []string) bool {
	if len(path) == 0 {
		return true
	}
	for _, p := range t.Mentions {
		if _, ok := p.Expr.(*ast.StructLit); !ok {
			return false
		}
	}
	return len(t.Mentions) > 0
}

// At follows one element of a path: a field, an index, or else what stands for any name. It is nil when there is none.
func (t *Field) At(element string) *Field {
	if child := t.Fields[element]; child != nil {
		return child
	}
	if i, ok := index(element); ok && i < len(t.Elements) {
		return t.Elements[i]
	}
	return t.Each
}

// Find follows a path as far as it goes, and tells how many elements that was.
func (t *Field) Find(path []string) (deepest *Field, depth int) {
	for i, element := range path {
		next := t.At(element)
		if next == nil || len(next.Mentions) == 0 {
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
			text += OneLine(g.Text())
		}
	}
	return text
}
