package mistakes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// twice finds two different values that the user wrote for one field.
func (w *explainer) twice(c complaint, t *written.Field) bool {
	literals := distinct(t, func(e ast.Expr) bool { _, ok := e.(*ast.BasicLit); return ok })
	if len(literals) < 2 {
		return false
	}
	w.inOrder(literals)
	pos, other := literals[0].Expr.Pos().Position(), literals[1].Expr.Pos().Position()
	w.say(c.path, pos, finding.Finding{ID: finding.SetTwice, Text: fmt.Sprintf("is set twice: %s here and %s at %s:%d:%d", written.Shorten(literals[0].Expr), written.Shorten(literals[1].Expr), other.Filename, other.Line, other.Column)})
	return true
}

// listTwice finds two different lists that the user wrote for one field. CUE compares their lengths, or each element
// with the other's.
func (w *explainer) listTwice(path []string) bool {
	t, depth := w.spec.Root().Find(path)
	if depth < len(path) {
		return false
	}
	lists := distinct(t, func(e ast.Expr) bool { _, ok := e.(*ast.ListLit); return ok })
	if len(lists) < 2 {
		return false
	}
	w.inOrder(lists)
	first, other := lists[0].Expr.Pos().Position(), lists[1].Expr.Pos().Position()
	w.say(path, first, finding.Finding{ID: finding.SetTwice, Text: fmt.Sprintf("is set twice: one list here and another at %s:%d:%d; lists are not put together, so write it whole in one place", other.Filename, other.Line, other.Column)})
	return true
}

// elementTwice finds a list around the path that is written twice, where the path is one of the differences.
func (w *explainer) elementTwice(path []string) bool {
	t, depth := w.spec.Root().Find(path)
	if depth < len(path) || len(distinct(t, written.IsLiteral)) < 2 {
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
func distinct(t *written.Field, kind func(ast.Expr) bool) []written.Mention {
	var out []written.Mention
	for _, p := range t.Mentions {
		if p.Certain && kind(p.Expr) && !slices.ContainsFunc(out, func(q written.Mention) bool { return written.SourceText(q.Expr) == written.SourceText(p.Expr) }) {
			out = append(out, p)
		}
	}
	return out
}

// inOrder sorts mentions in the order of the files.
func (w *explainer) inOrder(places []written.Mention) {
	slices.SortStableFunc(places, func(a, b written.Mention) int {
		p, q := a.Expr.Pos().Position(), b.Expr.Pos().Position()
		return cmp.Or(cmp.Compare(p.Filename, q.Filename), cmp.Compare(p.Offset, q.Offset))
	})
}

// quotes is the way out where a value is right but for its quotes: a version in YAML is a number without them.
func (w *explainer) quotes(s, t *written.Field) string {
	if s == nil || t == nil || len(t.Mentions) == 0 || strings.Contains(w.schema().Rule(s), "in quotes") {
		return ""
	}
	text, kind := t.Got(), w.schema().Kind(s)
	if text == "null" && kind == "fields" && !slices.ContainsFunc(s.Names, func(n string) bool { return s.Fields[n].Required() }) {
		return " (for all defaults: {})"
	}
	inner := strings.Trim(text, `"`)
	_, notNumber := strconv.ParseFloat(inner, 64)
	isWord := inner == "true" || inner == "false"
	switch {
	case text == inner && (notNumber == nil || isWord) && written.IsText(kind):
		return fmt.Sprintf(" (in quotes: %q)", inner)
	case text != inner && (notNumber == nil && kind == "whole number" || isWord && kind == "true or false"):
		return " (without quotes: " + inner + ")"
	}
	return ""
}
