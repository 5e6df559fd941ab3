package schema

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/token"
)

// sourceMap knows where in the user's files a field of the spec stands.
type sourceMap struct {
	files   []*ast.File
	names   names
	wrapped bool // the spec stands below a field "cluster"
	root    *tree
}

func newSourceMap(inst *build.Instance, o Origin) *sourceMap {
	m := &sourceMap{files: inst.Files, names: newNames(o)}
	for _, f := range m.files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok {
				name, _, err := ast.LabelName(field.Label)
				m.wrapped = m.wrapped || err == nil && name == "cluster"
			}
		}
	}
	return m
}

// tree gives the spec as it is written, below the field "cluster" where there is one. It is made when first asked for.
func (m *sourceMap) tree() *tree {
	if m.root != nil {
		return m.root
	}
	// Every field is visited once, and references as often as a spec with reason would hold them.
	b := builder{resolve: resolveLocal, budget: 1 << 20}
	top := &tree{}
	for _, f := range m.files {
		b.decls(top, f.Decls)
	}
	m.root = top
	if m.wrapped {
		m.root = top.fields["cluster"]
	}
	return m.root
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

// Position gives the place in the spec where a field ("services.nfs.path") stands, or else that of its nearest parent.
// The file is relative to the working directory; it is empty for a cluster that no spec was loaded for.
func (c *Cluster) Position(path string) (file string, line, column int) {
	if c.source == nil {
		return "", 0, 0
	}
	pos := c.source.position(splitPath(path))
	return pos.Filename, pos.Line, pos.Column
}

// position gives the value of a field, or the label where that is a struct or a parent, or the top of the spec.
func (m *sourceMap) position(path []string) token.Position {
	t, depth := m.tree().find(path)
	if len(t.places) > 0 {
		p := t.places[len(t.places)-1] // the last mention is the closest to what overrides a template
		for _, q := range t.places {
			if q.certain && isLiteral(q.expr) {
				p = q
			}
		}
		_, isStruct := p.expr.(*ast.StructLit)
		if depth == len(path) && depth > 0 && !isStruct && p.expr.Pos().IsValid() {
			return m.place(p.expr.Pos())
		}
		if p.label.IsValid() {
			return m.place(p.label)
		}
	}
	return m.top()
}

// top is where the spec begins: its first field.
func (m *sourceMap) top() token.Position {
	for _, f := range m.files {
		for _, d := range f.Decls {
			if field, ok := d.(*ast.Field); ok && field.Pos().IsValid() {
				return m.place(field.Pos())
			}
		}
	}
	if len(m.files) == 0 {
		return token.Position{}
	}
	return token.Position{Filename: m.names.of(m.files[0].Filename), Line: 1, Column: 1}
}

func (m *sourceMap) place(p token.Pos) token.Position {
	pos := p.Position()
	pos.Filename = m.names.of(pos.Filename)
	return pos
}

// own reports whether a position is in a file of the user and not in the schema.
func own(p token.Pos) bool {
	return p.IsValid() && p.Filename() != "" && !strings.Contains(filepath.ToSlash(p.Filename()), vendorDir+"/")
}

func isLiteral(e ast.Expr) bool {
	switch e.(type) {
	case *ast.BasicLit, *ast.StructLit, *ast.ListLit, *ast.UnaryExpr:
		return true
	}
	return false
}

// relativeTo gives a file name as the user would type it in the working directory, on one line.
func relativeTo(wd, file string) string {
	if file == "" {
		return ""
	}
	if filepath.IsAbs(file) && wd != "" {
		if rel, err := filepath.Rel(wd, file); err == nil {
			file = rel
		}
	}
	return oneLine(filepath.Clean(file))
}

// oneLine quotes a name that would break the line it is printed on.
func oneLine(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

func workingDir() string {
	wd, err := os.Getwd()
	if err != nil {
		return "" // it was removed; names stay absolute
	}
	return wd
}

// splitPath splits nodes.m1.labels."a.b" at its dots; a quoted element may hold some.
func splitPath(path string) []string {
	var elements []string
	for path != "" {
		var head string
		if quoted, err := strconv.QuotedPrefix(path); err == nil && quoted[0] == '"' {
			path = strings.TrimPrefix(path[len(quoted):], ".")
			head, err = strconv.Unquote(quoted)
			if err != nil {
				head = quoted
			}
		} else {
			head, path, _ = strings.Cut(path, ".")
		}
		elements = append(elements, head)
	}
	return elements
}

// joinPath is the inverse of splitPath. An element that is no plain word is quoted, in ASCII: a look-alike shows.
func joinPath(elements []string) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		quoted[i] = e
		if e == "" || strings.ContainsFunc(e, func(r rune) bool { return !isWord(r) }) {
			quoted[i] = strconv.QuoteToASCII(e)
		}
	}
	return strings.Join(quoted, ".")
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-#*", r)
}

func joinLines(s string) string { return strings.Join(strings.Fields(s), " ") }

// strays finds fields of a cluster that stand beside the field "cluster", where nothing would read them.
func (m *sourceMap) strays() Mistakes {
	var found Mistakes
	for _, f := range m.files {
		for _, d := range f.Decls {
			field, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			name, _, err := ast.LabelName(field.Label)
			if err != nil || name == "cluster" {
				continue
			}
			pos := m.place(field.Label.Pos())
			found = append(found, Mistake{File: pos.Filename, Line: pos.Line, Column: pos.Column,
				Path: name, Rule: "stands beside \"cluster\", where nothing reads it; move it inside"})
		}
	}
	if len(found) == 0 {
		return nil // as nearly always, and the shape takes its time
	}
	names := newShape().root.fields
	return slices.DeleteFunc(found, func(m Mistake) bool { return names[m.Path] == nil })
}
