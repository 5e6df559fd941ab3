package schema

import (
	"path/filepath"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// sourceMap knows where in the user's files a field of the spec stands.
type sourceMap struct {
	files   []*ast.File
	wd      string
	wrapped bool // the spec stands below a field "cluster"
}

func newSourceMap(inst *build.Instance) *sourceMap {
	m := &sourceMap{files: inst.Files, wd: workingDir()}
	for _, f := range m.files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok && labelIs(field.Label, "cluster") {
				m.wrapped = true
			}
		}
	}
	return m
}

// place is the best answer to where a path stands: how many of its elements were found, and the nodes there.
type place struct {
	depth int
	label token.Pos // of the deepest field found
	value token.Pos
	expr  ast.Expr
}

// find gives every place that fits the path to the greatest depth, in file order. Most paths have one.
func (m *sourceMap) find(path []string) []place {
	if m.wrapped {
		path = append([]string{"cluster"}, path...)
	}
	w := walker{budget: 1 << 20}
	for _, f := range m.files {
		w.decls(f.Decls, path, place{})
	}
	return w.best
}

// walker collects places. Its budget bounds the references it follows.
type walker struct {
	best   []place
	budget int
}

func (w *walker) offer(p place) {
	if p.depth == 0 || !p.label.IsValid() {
		return
	}
	switch {
	case len(w.best) == 0 || p.depth > w.best[0].depth:
		w.best = []place{p}
	case p.depth == w.best[0].depth:
		w.best = append(w.best, p)
	}
}

func (w *walker) decls(decls []ast.Decl, path []string, at place) {
	if len(path) == 0 {
		return
	}
	for _, d := range decls {
		if w.budget--; w.budget < 0 {
			return
		}
		switch d := d.(type) {
		case *ast.Field:
			if !labelMayBe(d.Label, path[0]) {
				continue
			}
			next := place{depth: at.depth + 1, label: d.Label.Pos(), value: d.Value.Pos(), expr: d.Value}
			w.offer(next)
			w.expr(d.Value, path[1:], next)
		case *ast.EmbedDecl:
			w.expr(d.Expr, path, at)
		case *ast.Comprehension:
			w.expr(d.Value, path, at)
		}
	}
}

func (w *walker) expr(e ast.Expr, path []string, at place) {
	if len(path) == 0 {
		return
	}
	if w.budget--; w.budget < 0 {
		return
	}
	switch e := e.(type) {
	case *ast.StructLit:
		w.decls(e.Elts, path, at)
	case *ast.ParenExpr:
		w.expr(e.X, path, at)
	case *ast.UnaryExpr:
		w.expr(e.X, path, at)
	case *ast.BinaryExpr:
		w.expr(e.X, path, at)
		w.expr(e.Y, path, at)
	case *ast.ListLit:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(e.Elts) {
			return
		}
		elt := e.Elts[i]
		next := place{depth: at.depth + 1, label: elt.Pos(), value: elt.Pos(), expr: elt}
		w.offer(next)
		w.expr(elt, path[1:], next)
	case *ast.Ident:
		switch n := e.Node.(type) {
		case *ast.Field:
			w.expr(n.Value, path, at)
		case *ast.LetClause:
			w.expr(n.Expr, path, at)
		case ast.Expr:
			w.expr(n, path, at)
		}
	}
}

// labelIs reports whether a label is that name, literally.
func labelIs(l ast.Label, name string) bool {
	got, _, err := ast.LabelName(l)
	return err == nil && got == name
}

// labelMayBe also accepts labels that are computed: only evaluation knows their names.
func labelMayBe(l ast.Label, name string) bool {
	switch l := l.(type) {
	case *ast.Interpolation, *ast.ParenExpr, *ast.ListLit:
		return true
	case *ast.Alias:
		return true
	default:
		return labelIs(l, name)
	}
}

// relative gives a file name as the user would type it in the working directory.
func (m *sourceMap) relative(file string) string { return relativeTo(m.wd, file) }

func relativeTo(wd, file string) string {
	if !filepath.IsAbs(file) || wd == "" {
		return filepath.Clean(file)
	}
	rel, err := filepath.Rel(wd, file)
	if err != nil {
		return file
	}
	return rel
}

// Position gives the place in the spec where a field ("services.nfs.path") stands, or else that of its nearest parent.
// The file is relative to the working directory; it is empty for a cluster that no spec was loaded for.
func (c *Cluster) Position(path string) (file string, line, column int) {
	if c.source == nil {
		return "", 0, 0
	}
	return c.source.position(splitPath(path))
}

func (m *sourceMap) position(path []string) (file string, line, column int) {
	found := m.find(path)
	if len(found) == 0 {
		if len(m.files) == 0 {
			return "", 0, 0
		}
		return m.relative(m.files[0].Filename), 1, 1
	}
	want := len(path)
	if m.wrapped {
		want++
	}
	p := found[0].label
	if found[0].depth == want && found[0].value.IsValid() {
		p = found[0].value
	}
	pos := p.Position()
	return m.relative(pos.Filename), pos.Line, pos.Column
}

// splitPath splits "nodes.m1.labels.\"a.b\"" at its dots; a quoted element may hold some.
func splitPath(path string) []string {
	var elements []string
	for path != "" {
		var head string
		if strings.HasPrefix(path, `"`) {
			end := strings.Index(path[1:], `"`)
			if end < 0 {
				return append(elements, path)
			}
			head, path = path[1:end+1], strings.TrimPrefix(path[end+2:], ".")
		} else {
			head, path, _ = strings.Cut(path, ".")
		}
		elements = append(elements, head)
	}
	return elements
}

// joinPath is the inverse of splitPath.
func joinPath(elements []string) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		quoted[i] = e
		if !ast.IsValidIdent(e) && strings.ContainsAny(e, ".\" \t\n") {
			quoted[i] = literal.Label.Quote(e)
		}
	}
	return strings.Join(quoted, ".")
}

// strays finds fields of a cluster that stand beside the field "cluster", where nothing would read them.
func (m *sourceMap) strays(def cue.Value) Mistakes {
	var found Mistakes
	names := fieldNames(def)
	for _, f := range m.files {
		for _, d := range f.Decls {
			field, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			name, _, err := ast.LabelName(field.Label)
			if err != nil || !names[name] {
				continue
			}
			pos := field.Label.Pos().Position()
			found = append(found, Mistake{File: m.relative(pos.Filename), Line: pos.Line, Column: pos.Column,
				Path: name, Rule: "stands beside \"cluster\", where nothing reads it; move it inside"})
		}
	}
	return found
}
