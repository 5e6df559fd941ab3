package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
)

// twice finds two different values that the user wrote for one field.
func (w *rewriter) twice(c complaint, t *tree) bool {
	literals := distinct(t, func(e ast.Expr) bool { _, ok := e.(*ast.BasicLit); return ok })
	if len(literals) < 2 {
		return false
	}
	w.inOrder(literals)
	pos, other := w.source.place(literals[0].expr.Pos()), w.source.place(literals[1].expr.Pos())
	w.say(c.path, "", fmt.Sprintf("is set twice: %s here and %s at %s:%d:%d", shorten(literals[0].expr), shorten(literals[1].expr), other.Filename, other.Line, other.Column), pos)
	return true
}

// listTwice finds two different lists that the user wrote for one field. CUE compares their lengths, or each element
// with the other's.
func (w *rewriter) listTwice(path []string) bool {
	t, depth := w.source.tree().find(path)
	if depth < len(path) {
		return false
	}
	lists := distinct(t, func(e ast.Expr) bool { _, ok := e.(*ast.ListLit); return ok })
	if len(lists) < 2 {
		return false
	}
	w.inOrder(lists)
	first, other := w.source.place(lists[0].expr.Pos()), w.source.place(lists[1].expr.Pos())
	w.say(path, "", fmt.Sprintf("is set twice: one list here and another at %s:%d:%d; lists are not put together, so write it whole in one place", other.Filename, other.Line, other.Column), first)
	return true
}

// elementTwice finds a list around the path that is written twice, where the path is one of the differences.
func (w *rewriter) elementTwice(path []string) bool {
	t, depth := w.source.tree().find(path)
	if depth < len(path) || len(distinct(t, isLiteral)) < 2 {
		return false
	}
	for n := len(path) - 1; n > 0; n-- {
		if w.listTwice(path[:n]) {
			return true
		}
	}
	return false
}

// distinct returns the certain mentions of a field that are of a kind, those that are written alike once.
func distinct(t *tree, kind func(ast.Expr) bool) []place {
	var out []place
	for _, p := range t.places {
		if p.certain && kind(p.expr) && !slices.ContainsFunc(out, func(q place) bool { return sourceText(q.expr) == sourceText(p.expr) }) {
			out = append(out, p)
		}
	}
	return out
}

// inOrder sorts mentions in the order of the files.
func (w *rewriter) inOrder(places []place) {
	slices.SortStableFunc(places, func(a, b place) int {
		p, q := w.source.place(a.expr.Pos()), w.source.place(b.expr.Pos())
		return cmp.Or(cmp.Compare(p.Filename, q.Filename), cmp.Compare(p.Offset, q.Offset))
	})
}

// quotes is the way out where a value is right but for its quotes: a version in YAML is a number without them.
func (w *rewriter) quotes(s, t *tree) string {
	if s == nil || t == nil || len(t.places) == 0 || strings.Contains(w.shape.rule(s), "in quotes") {
		return ""
	}
	text, kind := got(t), w.shape.kind(s)
	if text == "null" && kind == "fields" && !slices.ContainsFunc(s.names, func(n string) bool { return s.fields[n].required() }) {
		return " (for all defaults: {})"
	}
	inner := strings.Trim(text, `"`)
	_, notNumber := strconv.ParseFloat(inner, 64)
	isWord := inner == "true" || inner == "false"
	switch {
	case text == inner && (notNumber == nil || isWord) && isText(kind):
		return fmt.Sprintf(" (in quotes: %q)", inner)
	case text != inner && (notNumber == nil && kind == "whole number" || isWord && kind == "true or false"):
		return " (without quotes: " + inner + ")"
	}
	return ""
}

// quoted adds the way out to CUE's word about a name that is not there, where a text without quotes is all that stands.
func (w *rewriter) quoted(path []string, text string) string {
	name, ok := strings.CutPrefix(text, "reference \"")
	name, found := strings.CutSuffix(name, "\" not found")
	if !ok || !found || len(path) == 0 {
		return text
	}
	s, fits := w.schema().root.find(path)
	t, depth := w.source.tree().find(path)
	if fits == len(path) && depth == len(path) && got(t) == name && isText(w.schema().kind(s)) {
		text += fmt.Sprintf(" (in quotes: %q)", name)
	}
	return text
}

func isText(kind string) bool { return kind == "string" || strings.HasPrefix(kind, `one of "`) }
