package written

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Spec is a spec as its author wrote it: it knows where in the files a field stands. The files have the names that their
// author knows them by. A nil Spec is that of a cluster which was not read from files: no field stands anywhere.
type Spec struct {
	Unread []string // files beside it that could be taken for the spec, by the names that the author knows them by

	files   []*ast.File
	wrapped bool // the spec stands below a field "cluster"
	root    *Field
}

// NewSpec takes the parsed files of a spec.
func NewSpec(files []*ast.File) *Spec {
	s := &Spec{files: files}
	for _, f := range s.files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok {
				name, _, err := ast.LabelName(field.Label)
				s.wrapped = s.wrapped || err == nil && name == "cluster"
			}
		}
	}
	return s
}

// Root gives the fields of the cluster, those below the field "cluster" where there is one. It is made when first asked
// for.
func (s *Spec) Root() *Field {
	if s.root != nil {
		return s.root
	}
	// Every field is visited once, and references as often as a spec with reason would hold them.
	b := builder{resolve: resolveLocal, budget: 1 << 20}
	top := &Field{}
	for _, f := range s.files {
		b.decls(top, f.Decls)
	}
	s.root = top
	if s.wrapped {
		s.root = top.Fields["cluster"]
	}
	return s.root
}

// resolveLocal gives what a name in a spec stands for, where that is in the spec itself.
func resolveLocal(id *ast.Ident) ast.Expr {
	switch n := id.Node.(type) {
	case *ast.Field:
		return n.Value
	case *ast.LetClause:
		return n.Expr
	case ast.Expr:
		return n
	}
	return nil
}

// Has reports whether the spec has the field ("services.nfs.path"), so that its author can change it there.
func (s *Spec) Has(path string) bool {
	_, ok := s.field(path)
	return ok
}

// HasValue reports whether the spec has the field, and a value there and not further fields.
func (s *Spec) HasValue(path string) bool { return s.got(path) != "" }

// FirstOf gives the first of the paths that the spec has, or else the first.
func (s *Spec) FirstOf(paths ...string) string {
	for _, p := range paths {
		if s.Has(p) {
			return p
		}
	}
	return paths[0]
}

// Names gives the names of the fields below a path, as the spec has them.
func (s *Spec) Names(path string) []string {
	t, ok := s.field(path)
	if !ok {
		return nil
	}
	return t.Names
}

func (s *Spec) field(path string) (*Field, bool) {
	if s == nil || s.Root() == nil {
		return nil, false
	}
	elements := schema.SplitPath(path)
	t, depth := s.root.Find(elements)
	return t, depth == len(elements)
}

// got is the value that is written at a field, or "" for fields and lists.
func (s *Spec) got(path string) string {
	t, ok := s.field(path)
	if !ok {
		return ""
	}
	got := t.Got()
	if got == "{...}" || got == "[...]" {
		return ""
	}
	return got
}

// Locate gives findings about fields their places in the spec, and what is written there, and sorts them in file order.
func (s *Spec) Locate(found finding.List) finding.List {
	found = slices.Clone(found)
	for i := range found {
		f := &found[i]
		f.Got = cmp.Or(s.got(f.Path), f.Got)
		f.File, f.Line, f.Column = s.Place(f.Path)
	}
	return found.Ordered()
}

// Place gives the place in the spec where a field ("services.nfs.path") stands, or else that of its nearest parent.
func (s *Spec) Place(path string) (file string, line, column int) {
	if s == nil {
		return "", 0, 0
	}
	pos := s.Position(schema.SplitPath(path))
	return pos.Filename, pos.Line, pos.Column
}

// Position gives the value of a field, or the label where that is a struct or a parent, or the top of the spec.
func (s *Spec) Position(path []string) token.Position {
	t, depth := s.Root().Find(path)
	if len(t.Mentions) > 0 {
		p := t.Mentions[len(t.Mentions)-1] // the last mention is the closest to what overrides a template
		for _, q := range t.Mentions {
			if q.Certain && IsLiteral(q.Expr) {
				p = q
			}
		}
		_, isStruct := p.Expr.(*ast.StructLit)
		if depth == len(path) && depth > 0 && !isStruct && p.Expr.Pos().IsValid() {
			return p.Expr.Pos().Position()
		}
		if p.Label.IsValid() {
			return p.Label.Position()
		}
	}
	return s.Top()
}

// Top is where the spec begins: its first field.
func (s *Spec) Top() token.Position {
	for _, f := range s.files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok && field.Pos().IsValid() {
				return field.Pos().Position()
			}
		}
	}
	if len(s.files) == 0 {
		return token.Position{}
	}
	return token.Position{Filename: s.files[0].Filename, Line: 1, Column: 1}
}

// Beside lists the labels of fields that stand beside the field "cluster", where nothing reads them.
func (s *Spec) Beside() []ast.Label {
	var labels []ast.Label
	for _, f := range s.files {
		for _, d := range f.Decls {
			field, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			if name, _, err := ast.LabelName(field.Label); err == nil && name != "cluster" {
				labels = append(labels, field.Label)
			}
		}
	}
	return labels
}

// IsOwn reports whether a position is in a file of the user and not in the schema.
func IsOwn(p token.Pos) bool {
	return p.IsValid() && p.Filename() != "" && !strings.Contains(filepath.ToSlash(p.Filename()), schema.VendorDir+"/")
}

// IsLiteral reports whether an expression is a value by itself.
func IsLiteral(e ast.Expr) bool {
	switch e.(type) {
	case *ast.BasicLit, *ast.StructLit, *ast.ListLit, *ast.UnaryExpr:
		return true
	}
	return false
}
