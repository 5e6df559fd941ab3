package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// rewriter turns what CUE says about a spec into mistakes: one line each, at the user's own line, in his words.
type rewriter struct {
	source *sourceMap
	shape  *shape
	// Whether an expression of the schema takes a value; nil where nothing was evaluated.
	accepts func(rule, value ast.Expr) bool
	list    Mistakes
	byPath  map[string]bool // paths that have their mistake
	gone    []string        // paths of unknown fields: what CUE says about things below them is noise
	lost    []string        // paths of missing fields, likewise
}

// complaint is all that CUE says about one path.
type complaint struct {
	path   []string
	errors []cueerrors.Error
}

// schema is the shape, also for a rewriter of syntax that was made without.
func (w *rewriter) schema() *shape {
	if w.shape == nil {
		w.shape = newShape()
	}
	return w.shape
}

func newRewriter(source *sourceMap) *rewriter {
	return &rewriter{source: source, shape: newShape(), byPath: map[string]bool{}}
}

// mistakes explains the errors of an evaluation. There is always at least one.
func (r *reader) mistakes(errs ...error) Mistakes {
	w := newRewriter(r.source)
	w.accepts = r.accepts
	complaints, checks, plain := group(errs)
	if len(plain) > 0 { // the spec is no valid CUE: nothing else is known about it
		for _, e := range plain {
			w.plain(e)
		}
		return w.sorted()
	}
	w.structure(nil, r.source.tree(), w.shape.root)
	for i, c := range complaints {
		if !w.below(c.path) && !w.listTwice(c.path) && !w.hasDeeper(complaints[i+1:], c) && !w.isInnocent(c) {
			w.complain(c)
		}
	}
	if len(w.list) == 0 {
		for _, c := range checks {
			w.check(c)
		}
	}
	if len(w.list) == 0 {
		for _, c := range complaints {
			w.say(c.path, "", message(c.errors[0]), w.position(c))
		}
	}
	return w.sorted()
}

// group sorts errors by what they are about: a path of the spec, a check, or the text of the files.
func group(errs []error) (complaints, checks []complaint, plain []cueerrors.Error) {
	index := map[string]int{}
	for _, err := range errs {
		for _, e := range cueerrors.Errors(err) {
			path := specPath(e.Path())
			switch {
			case isPlain(e, path):
				plain = append(plain, e)
			case len(path) == 2 && path[0] == "_check":
				checks = append(checks, complaint{splitPath(path[1]), []cueerrors.Error{e}})
			default:
				key := joinPath(path)
				i, ok := index[key]
				if !ok {
					i = len(complaints)
					index[key] = i
					complaints = append(complaints, complaint{path: path})
				}
				complaints[i].errors = append(complaints[i].errors, e)
			}
		}
	}
	slices.SortStableFunc(complaints, func(a, b complaint) int { return slices.Compare(a.path, b.path) })
	return complaints, checks, plain
}

// specPath gives an error's path as the spec has it, without quotes.
func specPath(path []string) []string {
	if len(path) > 0 && (path[0] == "cluster" || path[0] == "#Cluster") {
		path = path[1:]
	}
	out := make([]string, len(path))
	for i, e := range path {
		out[i] = e
		if strings.HasPrefix(e, `"`) {
			if s, err := literal.Unquote(e); err == nil {
				out[i] = s
			}
		}
	}
	return out
}

// isPlain reports whether an error is about the text of the user's files: a syntax error, a name that is not there.
func isPlain(e cueerrors.Error, path []string) bool {
	if !own(e.Position()) {
		return len(path) == 0
	}
	format, _ := e.Msg()
	return len(path) == 0 || strings.HasPrefix(format, "reference ") || strings.HasPrefix(format, "imported and not used") || strings.HasPrefix(format, "undefined field")
}

// below reports whether a path stands below an unknown field, or is hidden, derived or a repetition.
func (w *rewriter) below(path []string) bool {
	if len(path) > 0 && (strings.HasPrefix(path[0], "_") || isDerived(path[0]) || w.isConsequence(path)) {
		return true
	}
	for i := range path {
		if strings.HasPrefix(path[i], "_") || slices.Contains(w.gone, joinPath(path[:i+1])) || slices.Contains(w.lost, joinPath(path[:i+1])) {
			return true
		}
	}
	return w.byPath[joinPath(path)]
}

// hasDeeper reports whether an error about a struct or list only repeats one about something in it.
func (w *rewriter) hasDeeper(later []complaint, c complaint) bool {
	if len(later) == 0 || w.ruleText(c) != "" {
		return false
	}
	next := later[0].path
	return len(next) > len(c.path) && slices.Equal(next[:len(c.path)], c.path)
}

// ruleText picks what the schema itself says, before what CUE says: the rule for a name beats that for a value.
func (w *rewriter) ruleText(c complaint) string {
	text := ""
	for _, e := range c.errors {
		m := message(e)
		if !w.shape.rules[m] {
			continue
		}
		if text == "" || w.isNameRule(c.path, m) {
			text = m
		}
	}
	return text
}

// isNameRule reports whether a text is about the name of a field and not about its value.
func (w *rewriter) isNameRule(path []string, text string) bool {
	if len(path) == 0 {
		return false
	}
	parent, depth := w.shape.root.find(path[:len(path)-1])
	if depth != len(path)-1 {
		return false
	}
	return slices.ContainsFunc(parent.patterns, func(f *ast.Field) bool {
		t, ok := errorText(f.Value)
		return ok && t == text
	})
}

func (w *rewriter) complain(c complaint) {
	t, depth := w.source.tree().find(c.path)
	known := depth == len(c.path)
	if !known {
		t = nil
	}
	s, fits := w.shape.root.find(c.path)
	if fits != len(c.path) {
		s = nil
	}
	text := w.ruleText(c)
	first := message(c.errors[0])
	switch {
	case w.elementTwice(c.path):
	case text != "" && w.isNameRule(c.path, text):
		w.say(c.path, "", text, w.label(c))
	case known && w.twice(c, t):
	case strings.HasPrefix(first, "field not allowed"):
		w.unknown(c.path, w.label(c))
	case strings.HasPrefix(first, "incomplete value") && !known && s != nil && w.shape.fallback(s) != "":
		w.say(c.path, "", "follows from fields that have no definite value; look for one that depends on itself", w.position(c))
	case strings.HasPrefix(first, "field is required") || strings.HasPrefix(first, "incomplete value") && !known:
		w.missing(c.path, s)
	case strings.HasPrefix(first, "adding field "):
		w.say(c.path, "", "a loop over these fields adds to them; loop over a field of its own", w.position(c))
	case strings.HasPrefix(first, "ambiguous default"):
		w.say(c.path, got(t), "depends on itself; give it a value of its own", w.position(c))
	case strings.HasPrefix(first, "incomplete value") && s != nil:
		w.say(c.path, got(t), "has no definite value; "+cmp.Or(w.shape.want(s), "give one"), w.position(c))
	case text != "":
		w.say(c.path, got(t), text+w.quotes(s, t), w.position(c))
	case s != nil && w.shape.want(s) != "" && strings.HasPrefix(first, "conflicting values"):
		w.say(c.path, got(t), w.shape.want(s)+w.quotes(s, t), w.position(c))
	default:
		w.say(c.path, got(t), first, w.position(c))
	}
}

// check repeats what a rule of checks.cue says, at the field it names.
func (w *rewriter) check(c complaint) {
	text := message(c.errors[0])
	if name, ok := strings.CutSuffix(text, " is not a node"); ok {
		if nodes, depth := w.source.tree().find([]string{"nodes"}); depth == 1 {
			if near := nearest(name, nodes.names); near != "" {
				text += fmt.Sprintf("; did you mean %q?", near)
			}
		}
	}
	w.say(c.path, "", text, w.source.position(c.path))
}

// plain repeats what CUE says about the text of a file; its own messages are good there.
func (w *rewriter) plain(e cueerrors.Error) {
	pos := e.Position()
	if !pos.IsValid() {
		for _, p := range e.InputPositions() {
			if own(p) {
				pos = p
				break
			}
		}
	}
	text := message(e)
	if whole := joinLines(e.Error()); strings.Contains(whole, "cannot find package ") {
		text, _, _ = strings.Cut(whole[strings.Index(whole, "cannot find package "):], ": ")
		text += "; the schema is \"" + importPath + "\", and other packages must stand below cue.mod"
	}
	text = w.quoted(specPath(e.Path()), text)
	if strings.HasPrefix(text, "imported and not used: \""+importPath) {
		text += "; write cluster: schema.#Cluster, or drop the import"
	}
	place := w.source.place(pos)
	w.list = append(w.list, Mistake{File: place.Filename, Line: place.Line, Column: place.Column, Path: joinPath(specPath(plainPath(e))), Rule: text})
}

// plainPath gives the path of an error unless it is that of a package.
func plainPath(e cueerrors.Error) []string {
	path := e.Path()
	if len(path) > 0 && (strings.ContainsAny(path[0], "@/") || slices.ContainsFunc(path, func(e string) bool { return strings.HasPrefix(e, "let[") })) {
		return nil
	}
	return path
}

func (w *rewriter) say(path []string, got, rule string, at token.Position) {
	key := joinPath(path)
	if w.byPath[key] {
		return
	}
	w.byPath[key] = true
	w.list = append(w.list, Mistake{File: at.Filename, Line: at.Line, Column: at.Column, Path: key, Got: got, Rule: rule})
}

// position is where the path stands, or the deepest place of the user's that CUE names.
func (w *rewriter) position(c complaint) token.Position {
	if _, depth := w.source.tree().find(c.path); depth < len(c.path) {
		for _, e := range c.errors {
			for _, p := range append(e.InputPositions(), e.Position()) {
				if own(p) {
					return w.source.place(p)
				}
			}
		}
	}
	return w.source.position(c.path)
}

// label is where the name of the last element stands.
func (w *rewriter) label(c complaint) token.Position {
	t, depth := w.source.tree().find(c.path)
	if depth == len(c.path) && depth > 0 && t.places[0].label.IsValid() {
		return w.source.place(t.places[0].label)
	}
	return w.position(c)
}

// got writes what stands at a field, short and on one line; nothing stands at a field that the spec does not have.
func got(t *tree) string {
	if t == nil || len(t.places) == 0 {
		return ""
	}
	p := t.places[len(t.places)-1]
	for _, q := range t.places {
		if q.certain && isLiteral(q.expr) {
			p = q
		}
	}
	return shorten(p.expr)
}

func shorten(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StructLit:
		return "{...}"
	case *ast.ListLit:
		return "[...]"
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return cut(e.Value)
		}
		s, err := literal.Unquote(e.Value)
		if err != nil {
			return cut(joinLines(e.Value))
		}
		return cut(strconv.QuoteToASCII(s))
	}
	return cut(sourceText(e))
}

// cut keeps a value on a line of the terminal.
func cut(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && s[end]&0xc0 == 0x80 { // not within a rune
		end--
	}
	return s[:end] + "..."
}

// message gives an error's own text, on one line.
func message(e cueerrors.Error) string {
	format, args := e.Msg()
	text := joinLines(fmt.Sprintf(format, args...))
	if text == "" { // a wrapper: only its cause has something to say
		_, text, _ = strings.Cut(joinLines(e.Error()), "\": ")
		text = cmp.Or(text, joinLines(e.Error()), "is no valid CUE")
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return strings.TrimSuffix(text, ":")
}

// sorted gives the mistakes in file order, one a line. What one line of a loop does to many nodes is one mistake.
func (w *rewriter) sorted() Mistakes {
	slices.SortStableFunc(w.list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	type spot struct {
		Mistake
		field string
	}
	var out Mistakes
	first, more := map[spot]int{}, map[int]int{}
	for _, m := range w.list {
		m.Rule = w.source.names.text(m.Rule)
		key := spot{m, m.Path[strings.LastIndex(m.Path, ".")+1:]}
		key.Path = ""
		if i, seen := first[key]; seen && m.Line > 0 {
			if out[i].Path != m.Path {
				more[i]++
			}
			continue
		}
		first[key] = len(out)
		out = append(out, m)
	}
	for i, n := range more {
		out[i].Rule += fmt.Sprintf(" (and %d more from the same line)", n)
	}
	return out
}
