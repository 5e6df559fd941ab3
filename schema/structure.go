package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// derivedRule is what a spec hears that sets rows which follow from its other fields.
const derivedRule = "follows from the other fields and is never set; remove it"

// structure finds unknown and missing fields in the spec as it is written. CUE reports the first only where everything
// below is right, and the second only when nothing else is wrong: the user would see them one run later.
func (w *rewriter) structure(path []string, t, s *tree) {
	for _, name := range t.names {
		child := t.fields[name]
		if isHidden(name) || !child.isCertain() {
			continue
		}
		next := append(slices.Clone(path), name)
		at := w.source.place(child.places[0].label)
		if len(path) == 0 && isDerived(name) {
			w.say(next, "", derivedRule, at)
			continue
		}
		if w.shape.isOwnRow(next) {
			if len(next) == 2 {
				w.say(next, "", ownRow, at)
			}
			continue
		}
		inner := s.at(name)
		if inner == nil {
			w.unknown(next, at)
			continue
		}
		if isComputed(inner) {
			w.say(next, got(child), computedRule, at)
			continue
		}
		w.structure(next, child, inner)
	}
	for i, child := range t.elements {
		if s.each != nil && child.isCertain() {
			w.structure(append(slices.Clone(path), fmt.Sprint(i)), child, s.each)
		}
	}
	if t.open || !t.isStruct(path) {
		return
	}
	for _, name := range s.names {
		if s.fields[name].required() && t.fields[name] == nil && !w.meant(path, name) {
			w.missing(append(slices.Clone(path), name), s.fields[name])
		}
	}
}

// isCertain reports whether the user wrote the field outside of any `if` or `for`.
func (t *tree) isCertain() bool {
	return slices.ContainsFunc(t.places, func(p place) bool { return p.certain })
}

// isInnocent reports whether an element of a list is what its rule wants: CUE complains of it too when another element is
// wrong, since it differs from the list's default.
func (w *rewriter) isInnocent(c complaint) bool {
	last := len(c.path) - 1
	if last < 0 {
		return false
	}
	if _, err := strconv.Atoi(c.path[last]); err != nil {
		return false
	}
	t, depth := w.source.tree().find(c.path)
	s, fits := w.shape.root.find(c.path)
	if depth < len(c.path) || fits < len(c.path) || len(distinct(t, isLiteral)) != 1 {
		return false
	}
	if strings.HasPrefix(got(t), `"`) && strings.Contains(w.ruleText(c), got(t)) {
		return true // one of the words that the rule names
	}
	return !slices.ContainsFunc(s.places, func(p place) bool { return !w.accepts(p.expr, t.places[0].expr) })
}

// isStruct reports whether a field is written as nothing but fields; the spec itself (no path) is.
func (t *tree) isStruct(path []string) bool {
	if len(path) == 0 {
		return true
	}
	for _, p := range t.places {
		if _, ok := p.expr.(*ast.StructLit); !ok {
			return false
		}
	}
	return len(t.places) > 0
}

// meant reports whether an unknown field beside the missing one is probably that, with a typo.
func (w *rewriter) meant(path []string, name string) bool {
	for _, g := range w.gone {
		e := splitPath(g)
		if len(e) == len(path)+1 && slices.Equal(e[:len(path)], path) && nearest(e[len(path)], []string{name}) != "" {
			return true
		}
	}
	return false
}

func (w *rewriter) unknown(path []string, at token.Position) {
	name := path[len(path)-1]
	rule := "unknown field " + strconv.QuoteToASCII(name)
	if parent, depth := w.shape.root.find(path[:len(path)-1]); depth == len(path)-1 {
		names := w.shape.visible(parent)
		switch near := nearest(name, names); {
		case parent.fields[name] != nil: // such as close({...}) around the cluster
			rule = "is a field of the schema that the spec shuts out; remove what closes the fields around it"
		case near != "":
			rule += fmt.Sprintf("; did you mean %q?", near)
		case len(names) > 0:
			rule += "; want one of " + strings.Join(names, ", ")
		}
	}
	w.say(path, "", rule, at)
	w.gone = append(w.gone, joinPath(path))
}

func (w *rewriter) missing(path []string, s *tree) {
	rule := "required field is missing"
	if s != nil {
		if want := w.shape.want(s); strings.HasPrefix(w.shape.kind(s), "fields") {
			rule += fmt.Sprintf(" (such as %s: %s)", path[len(path)-1], w.shape.example(s, 0))
		} else if strings.HasPrefix(want, "want") {
			rule += " (" + want + ")"
		}
	}
	w.say(path, "", rule, w.source.position(path))
	w.lost = append(w.lost, joinPath(path))
}

// nearest gives the candidate that is at most two letters away, or differs in case only; "" when there is none.
func nearest(name string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		if strings.EqualFold(name, c) {
			return c
		}
		if d := levenshtein(name, c); d < distance && d < len(name) {
			best, distance = c, d
		}
	}
	return best
}

// levenshtein counts the letters to insert, drop or change. Names longer than any field are far from all of them.
func levenshtein(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// isConsequence reports whether a path below exposures is of a value that skep makes from others, or a row of its own.
func (w *rewriter) isConsequence(path []string) bool {
	if path[0] != "exposures" {
		return false
	}
	t, depth := w.source.tree().find(path)
	switch len(path) {
	case 1:
		return depth == 0 || t.isStruct(path)
	case 3:
		return w.shape.isOwnRow(path) || depth < len(path) && slices.Contains([]string{"last", "mode", "field"}, path[2])
	}
	return w.shape.isOwnRow(path)
}
