// Package mistakes says in the words of a spec what CUE refuses about it.
package mistakes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// explainer turns what CUE says about a spec into mistakes: one line each, at the user's own line, in their words.
type explainer struct {
	spec  *written.Spec
	known *written.Schema
	// Whether an expression of the schema takes a value; nil where nothing was evaluated.
	accepts func(rule, value ast.Expr) bool
	list    finding.List
	byPath  map[string]bool // paths that have their mistake
	gone    []string        // paths of unknown fields: what CUE says about things below them is noise
	lost    []string        // paths of missing fields, likewise
	guessed map[string]bool // paths of required fields that an unknown one beside them stands for
}

// complaint is all that CUE says about one path.
type complaint struct {
	path   []string
	errors []cueerrors.Error
}

// schema is read when it is first asked for: syntax is explained without.
func (w *explainer) schema() *written.Schema {
	if w.known == nil {
		w.known = written.NewSchema()
	}
	return w.known
}

func newExplainer(spec *written.Spec) *explainer {
	return &explainer{spec: spec, byPath: map[string]bool{}, guessed: map[string]bool{}}
}

// Of explains the errors of an evaluation. There is always at least one mistake. accepts tells whether an expression of
// the schema takes a value of the spec.
func Of(spec *written.Spec, accepts func(rule, value ast.Expr) bool, errs ...error) finding.List {
	w := newExplainer(spec)
	w.accepts = accepts
	complaints, checks, plain := group(errs)
	if len(plain) > 0 { // the spec is no valid CUE: nothing else is known about it
		for _, e := range plain {
			w.plain(e)
		}
		return w.sorted()
	}
	if w.otherwise(spec.Root()) {
		return w.sorted()
	}
	w.structure(nil, spec.Root(), w.schema().Root)
	for _, c := range complaints {
		w.referred(c.path)
	}
	for i, c := range complaints {
		if !w.below(c.path) && !w.listTwice(c.path) && !w.hasDeeper(complaints[i+1:], c) && !w.isInnocent(c) {
			w.complain(c)
		}
	}
	if certain := slices.DeleteFunc(slices.Clone(w.list), isLoop); len(certain) > 0 {
		w.list = certain
	}
	if len(w.list) == 0 {
		for _, c := range checks {
			w.check(c)
		}
	}
	if len(w.list) == 0 {
		for _, c := range complaints {
			w.say(c.path, w.position(c), finding.Finding{ID: finding.WrongValue, Text: message(c.errors[0])})
		}
	}
	return w.sorted()
}

// Structure finds the unknown, missing and derived fields of a spec without any evaluation.
func Structure(spec *written.Spec) finding.List {
	w := newExplainer(spec)
	if !w.otherwise(spec.Root()) {
		w.structure(nil, spec.Root(), w.schema().Root)
	}
	return w.sorted()
}

// NoFields is the answer to a spec that is a number, a list, or nothing but a comment.
func NoFields(spec *written.Spec) finding.List {
	at, s := spec.Top(), written.NewSchema()
	return finding.List{{ID: finding.WrongType, Level: finding.Mistake, File: at.Filename, Line: at.Line, Column: at.Column, Text: "want the fields of a cluster: " + strings.Join(s.Visible(s.Root), ", ")}}
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
				checks = append(checks, complaint{schema.SplitPath(path[1]), []cueerrors.Error{e}})
			default:
				key := schema.JoinPath(path...)
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

// below reports whether a path stands below an unknown field, or is hidden, derived or a repetition.
func (w *explainer) below(path []string) bool {
	if len(path) > 0 && (strings.HasPrefix(path[0], "_") || written.IsDerived(path[0]) || w.isConsequence(path)) {
		return true
	}
	for i := range path {
		if strings.HasPrefix(path[i], "_") || slices.Contains(w.gone, schema.JoinPath(path[:i+1]...)) || slices.Contains(w.lost, schema.JoinPath(path[:i+1]...)) {
			return true
		}
	}
	return w.byPath[schema.JoinPath(path...)]
}

// hasDeeper reports whether an error about a struct or list only repeats one about something in it.
func (w *explainer) hasDeeper(later []complaint, c complaint) bool {
	if len(later) == 0 || w.ruleText(c) != "" {
		return false
	}
	next := later[0].path
	return len(next) > len(c.path) && slices.Equal(next[:len(c.path)], c.path)
}

// ruleText picks what the schema itself says, before what CUE says: the rule for a name beats that for a value.
func (w *explainer) ruleText(c complaint) string {
	text := ""
	for _, e := range c.errors {
		m := message(e)
		if !w.schema().IsRule(m) {
			continue
		}
		if text == "" || w.isNameRule(c.path, m) {
			text = m
		}
	}
	return text
}

// isNameRule reports whether a text is about the name of a field and not about its value.
func (w *explainer) isNameRule(path []string, text string) bool {
	if len(path) == 0 {
		return false
	}
	parent, depth := w.schema().Root.Find(path[:len(path)-1])
	if depth != len(path)-1 {
		return false
	}
	return slices.ContainsFunc(parent.Patterns, func(f *ast.Field) bool {
		t, ok := written.ErrorText(f.Value)
		return ok && t == text
	})
}

func (w *explainer) complain(c complaint) {
	t, depth := w.spec.Root().Find(c.path)
	known := depth == len(c.path)
	if !known {
		t = nil
	}
	s, fits := w.schema().Root.Find(c.path)
	if fits != len(c.path) {
		s = nil
	}
	text := w.ruleText(c)
	first := message(c.errors[0])
	switch {
	case w.elementTwice(c.path):
	case text != "" && w.isNameRule(c.path, text):
		w.say(c.path, w.label(c), finding.Finding{ID: finding.WrongValue, Text: text + odd(c.path[len(c.path)-1])})
	case known && w.twice(c, t):
	case strings.HasPrefix(first, "field not allowed"):
		w.unknown(c.path, w.label(c))
	case strings.HasPrefix(first, "incomplete value") && !known && s != nil && w.schema().Fallback(s) != "":
		w.say(c.path, w.position(c), finding.Finding{ID: finding.NotConcrete, Text: loopRule})
	case strings.HasPrefix(first, "field is required") || strings.HasPrefix(first, "incomplete value") && !known:
		w.missing(c.path, s)
	case strings.HasPrefix(first, "adding field "):
		w.say(c.path, w.position(c), finding.Finding{ID: finding.NotConcrete, Text: "a loop over these fields adds to them; loop over a field of its own"})
	case strings.HasPrefix(first, "ambiguous default"):
		w.say(c.path, w.position(c), finding.Finding{ID: finding.NotConcrete, Got: t.Got(), Text: "depends on itself; give it a value of its own"})
	case strings.HasPrefix(first, "incomplete value") && s != nil:
		w.say(c.path, w.position(c), finding.Finding{ID: finding.NotConcrete, Got: t.Got(), Text: "is not concrete; " + cmp.Or(w.schema().Want(s), "give it a value")})
	case known && w.notation(c, t):
	case text != "":
		w.say(c.path, w.position(c), finding.Finding{ID: finding.WrongValue, Got: t.Got(), Text: text + w.way(s, t, text)})
	case s != nil && w.schema().Want(s) != "" && strings.HasPrefix(first, "conflicting values"):
		want := w.schema().Want(s)
		way := w.way(s, t, want)
		if way == "" {
			want = w.want(c.path, s)
		}
		w.say(c.path, w.position(c), finding.Finding{ID: w.typeID(s), Got: t.Got(), Text: want + way})
	default:
		w.say(c.path, w.position(c), finding.Finding{ID: finding.WrongValue, Got: t.Got(), Text: first})
	}
}

const loopRule = "depends on fields that are not concrete; look for one that depends on itself"

// isLoop reports whether a mistake is about a value that would follow from others, which may be wrong themselves.
func isLoop(f finding.Finding) bool { return f.Text == loopRule }

// check repeats what a rule of _check says, at the field it names.
func (w *explainer) check(c complaint) {
	w.say(c.path, w.spec.Position(c.path), finding.Finding{ID: finding.FieldsDisagree, Text: message(c.errors[0])})
}

// typeID tells a fact or a derived field that is set from a value of another type.
func (w *explainer) typeID(s *written.Field) finding.ID {
	if _, fact := w.schema().Fact(s); fact {
		return finding.FactSet
	}
	if written.IsComputed(s) {
		return finding.DerivedSet
	}
	return finding.WrongType
}

// say notes a mistake about a field, unless there is one.
func (w *explainer) say(path []string, at token.Position, m finding.Finding) {
	key := schema.JoinPath(path...)
	if w.byPath[key] {
		return
	}
	w.byPath[key] = true
	m.Level, m.Path, m.File, m.Line, m.Column = finding.Mistake, key, at.Filename, at.Line, at.Column
	w.list = append(w.list, m)
}

// position is where the path stands, or the deepest place of the user's that CUE names.
func (w *explainer) position(c complaint) token.Position {
	if _, depth := w.spec.Root().Find(c.path); depth < len(c.path) {
		for _, e := range c.errors {
			for _, p := range append(e.InputPositions(), e.Position()) {
				if written.IsOwn(p) {
					return p.Position()
				}
			}
		}
	}
	return w.spec.Position(c.path)
}

// label is where the name of the last element stands.
func (w *explainer) label(c complaint) token.Position {
	t, depth := w.spec.Root().Find(c.path)
	if depth == len(c.path) && depth > 0 && t.Mentions[0].Label.IsValid() {
		return t.Mentions[0].Label.Position()
	}
	return w.position(c)
}

// message gives an error's own text, on one line.
func message(e cueerrors.Error) string {
	format, args := e.Msg()
	text := written.OneLine(fmt.Sprintf(format, args...))
	if text == "" { // a wrapper: only its cause has something to say
		_, text, _ = strings.Cut(written.OneLine(e.Error()), "\": ")
		text = cmp.Or(text, written.OneLine(e.Error()), "is not valid CUE")
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return strings.TrimSuffix(text, ":")
}

// sorted gives the mistakes in file order, one a line. What one line of a loop does to many nodes is one mistake.
func (w *explainer) sorted() finding.List {
	slices.SortStableFunc(w.list, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	type spot struct {
		finding.Finding
		field string
	}
	var out finding.List
	first, more := map[spot]int{}, map[int]int{}
	for _, m := range w.list {
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
		out[i].Text += fmt.Sprintf(" (and %d more from the same line)", n)
	}
	return out
}
