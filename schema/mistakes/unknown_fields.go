package mistakes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// structure finds unknown and missing fields in the spec as it is written. CUE reports the first only where everything
// below is right, and the second only when nothing else is wrong: the user would see them one run later.
func (w *explainer) structure(path []string, t, s *written.Field) {
	for _, name := range t.Names {
		child := t.Fields[name]
		if written.IsHidden(name) || !child.IsCertain() {
			continue
		}
		next := append(slices.Clone(path), name)
		at := child.Mentions[0].Label.Position()
		if len(path) == 0 && written.IsDerived(name) {
			w.say(next, at, finding.Finding{ID: finding.DerivedSet, Text: written.DerivedRule})
			continue
		}
		if w.schema().IsOwnRow(next) {
			if len(next) == 2 {
				w.say(next, at, finding.Finding{ID: finding.DerivedSet, Text: written.OwnRowRule})
			}
			continue
		}
		inner := s.At(name)
		if inner == nil {
			w.unknown(next, at)
			continue
		}
		if written.IsComputed(inner) {
			w.say(next, at, finding.Finding{ID: finding.DerivedSet, Got: child.Got(), Text: written.ComputedRule})
			continue
		}
		if w.misplaced(next, child, inner) {
			continue
		}
		w.structure(next, child, inner)
	}
	for i, child := range t.Elements {
		if s.Each != nil && child.IsCertain() {
			w.structure(append(slices.Clone(path), fmt.Sprint(i)), child, s.Each)
		}
	}
	if t.Open || !t.IsStruct(path) {
		return
	}
	for _, name := range s.Names {
		if s.Fields[name].Required() && t.Fields[name] == nil && !w.meant(path, name) {
			w.missing(append(slices.Clone(path), name), s.Fields[name])
		}
	}
}

// isInnocent reports whether an element of a list is what its rule wants: CUE complains of it too when another element is
// wrong, since it differs from the list's default.
func (w *explainer) isInnocent(c complaint) bool {
	last := len(c.path) - 1
	if last < 0 {
		return false
	}
	if _, err := strconv.Atoi(c.path[last]); err != nil {
		return false
	}
	t, depth := w.spec.Root().Find(c.path)
	s, fits := w.schema().Root.Find(c.path)
	if depth < len(c.path) || fits < len(c.path) || len(distinct(t, written.IsLiteral)) != 1 {
		return false
	}
	if strings.HasPrefix(t.Got(), `"`) && strings.Contains(w.ruleText(c), t.Got()) {
		return true // one of the words that the rule names
	}
	return !slices.ContainsFunc(s.Mentions, func(p written.Mention) bool { return !w.accepts(p.Expr, t.Mentions[0].Expr) })
}

// meant reports whether an unknown field beside the missing one is probably that, with a typo.
func (w *explainer) meant(path []string, name string) bool {
	if w.guessed[schema.JoinPath(append(slices.Clone(path), name)...)] {
		return true
	}
	for _, g := range w.gone {
		e := schema.SplitPath(g)
		if len(e) == len(path)+1 && slices.Equal(e[:len(path)], path) && written.Nearest(e[len(path)], []string{name}) != "" {
			return true
		}
	}
	return false
}

func (w *explainer) unknown(path []string, at token.Position) {
	name := path[len(path)-1]
	rule := "unknown field " + strconv.Quote(name)
	if parent, depth := w.schema().Root.Find(path[:len(path)-1]); depth == len(path)-1 {
		names := w.schema().Visible(parent)
		near := cmp.Or(written.Nearest(name, names), synonym(name, names), w.guess(path, parent))
		if near != "" {
			w.guessed[schema.JoinPath(append(slices.Clone(path[:len(path)-1]), near)...)] = true
		}
		switch {
		case parent.Fields[name] != nil: // such as close({...}) around the cluster
			rule = "is a field of the schema that the spec shuts out; remove what closes the fields around it"
		case near != "":
			rule += fmt.Sprintf("; did you mean %q?", near)
		case len(names) > 0:
			rule += "; want one of " + strings.Join(names, ", ")
		}
	}
	w.say(path, at, finding.Finding{ID: finding.UnknownField, Text: rule})
	w.gone = append(w.gone, schema.JoinPath(path...))
}

func (w *explainer) missing(path []string, s *written.Field) {
	rule := "required field is missing"
	if s != nil {
		if want := w.schema().Want(s); strings.HasPrefix(w.schema().Kind(s), "fields") {
			rule += fmt.Sprintf(" (such as %s: %s)", path[len(path)-1], w.schema().Example(s, 0))
		} else if strings.HasPrefix(want, "want") {
			rule += " (" + want + ")"
		}
	}
	w.say(path, w.spec.Position(path), finding.Finding{ID: finding.RequiredField, Text: rule})
	w.lost = append(w.lost, schema.JoinPath(path...))
}

// isConsequence reports whether a path below exposures is of a value that skep makes from others, or a row of its own.
func (w *explainer) isConsequence(path []string) bool {
	if path[0] != "exposures" {
		return false
	}
	t, depth := w.spec.Root().Find(path)
	switch len(path) {
	case 1:
		return depth == 0 || t.IsStruct(path)
	case 3:
		return w.schema().IsOwnRow(path) || depth < len(path) && slices.Contains([]string{"last", "mode", "field"}, path[2])
	}
	return w.schema().IsOwnRow(path)
}

// Strays finds fields of a cluster that stand beside the field "cluster", where nothing would read them.
func Strays(spec *written.Spec) finding.List {
	labels := spec.Beside()
	if len(labels) == 0 {
		return nil // as nearly always, and the schema takes its time
	}
	var found finding.List
	fields := written.NewSchema().Root.Fields
	for _, label := range labels {
		name, _, _ := ast.LabelName(label)
		if fields[name] != nil {
			pos := label.Pos().Position()
			found = append(found, finding.Finding{ID: finding.MisplacedField, Level: finding.Mistake, File: pos.Filename, Line: pos.Line, Column: pos.Column,
				Path: name, Text: "is outside \"cluster\" and would be ignored; move it inside"})
		}
	}
	return found
}
