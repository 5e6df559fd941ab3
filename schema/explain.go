package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Explain tells about a field of the spec ("services.nfs.path", "nodes.*.address") or a warning ("managers-even"):
// its type, default, rule, comment, an example, and its fields. Without a path it lists the top of the spec.
// The error says what the path may have meant.
func Explain(path string) (string, error) {
	for _, a := range Warnings() {
		if a.ID == path {
			return fmt.Sprintf("%s: %s\n\n%s\n\n%s\n", a.ID, a.Title, wrap(a.Why), wrap(a.Way)), nil
		}
	}
	s := newShape()
	elements := splitPath(path)
	if len(elements) > 0 && elements[0] == "cluster" {
		elements = elements[1:]
	}
	if len(elements) == 0 {
		return s.explainTop(), nil
	}
	t, depth := s.root.find(elements)
	if depth < len(elements) || isHidden(elements[depth-1]) {
		return "", s.noSuch(elements, t, depth)
	}
	return s.explain(elements, t), nil
}

// noSuch says which part of a path is not in the schema, and what is near.
func (s *shape) noSuch(elements []string, parent *tree, depth int) error {
	if depth == len(elements) {
		return fmt.Errorf("%s is internal to the schema", joinPath(elements))
	}
	names := s.allNames(parent)
	ids := map[string]bool{}
	if depth == 0 {
		for _, a := range Warnings() {
			names = append(names, a.ID)
			ids[a.ID] = true
		}
	}
	head := joinPath(elements[:depth+1])
	near := nearest(elements[depth], names)
	switch {
	case near != "" && ids[near]:
		return fmt.Errorf("no field or warning %s; did you mean %s?", head, near)
	case near != "":
		whole := append(append(append([]string{}, elements[:depth]...), near), elements[depth+1:]...)
		return fmt.Errorf("no field %s; did you mean %s?", head, joinPath(whole))
	case len(names) > 0:
		return fmt.Errorf("no field %s; want one of %s", head, strings.Join(names, ", "))
	}
	return fmt.Errorf("no field %s: %s has no fields", head, joinPath(elements[:depth]))
}

func (s *shape) allNames(t *tree) []string {
	var names []string
	for _, n := range t.names {
		if !isHidden(n) {
			names = append(names, n)
		}
	}
	return names
}

func (s *shape) explainTop() string {
	var b strings.Builder
	b.WriteString("A spec has these fields (`skep explain FIELD` tells more):\n\n")
	s.table(&b, nil, s.root)
	b.WriteString("\nWarnings (`skep explain ID`):\n\n")
	for _, a := range Warnings() {
		fmt.Fprintf(&b, "  %-18s %s\n", a.ID, a.Title)
	}
	return b.String()
}

func (s *shape) explain(elements []string, t *tree) string {
	var b strings.Builder
	b.WriteString(joinPath(elements) + "\n\n")
	if doc := s.comment(t); doc != "" {
		b.WriteString(wrap(doc) + "\n\n")
	}
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-9s%s\n", key, value)
		}
	}
	line("type", s.kind(t))
	line("set", s.standing(elements, t))
	line("default", s.defaultText(t))
	line("rule", s.rule(t))
	for _, p := range t.patterns { // rules about the names of its fields
		if text, ok := errorText(p.Value); ok {
			line("names", text)
		}
	}
	if example := s.exampleLine(elements, t); example != "" {
		line("example", example)
	}
	if t.isList() && t.each != nil {
		line("each", s.rule(t.each))
	}
	inner := t
	if (len(s.allNames(t)) == 0 || isDerived(joinPath(elements))) && t.each != nil && len(s.allNames(t.each)) > 0 {
		inner, elements = t.each, append(elements[:len(elements):len(elements)], "*")
	}
	if len(s.allNames(inner)) > 0 {
		b.WriteString("\nfields\n")
		s.table(&b, elements, inner)
	}
	return b.String()
}

// table lists the fields of a struct with the first sentence about each.
func (s *shape) table(b *strings.Builder, elements []string, t *tree) {
	width := 0
	for _, n := range s.allNames(t) {
		width = max(width, len(joinPath(append(elements[:len(elements):len(elements)], n))))
	}
	for _, n := range s.allNames(t) {
		path := append(elements[:len(elements):len(elements)], n)
		text := s.standing(path, t.fields[n])
		text, _, _ = strings.Cut(text, ":")
		if d := s.defaultText(t.fields[n]); d != "" && d != computed {
			text = "default " + d
		}
		if f, ok := s.fact(t.fields[n]); ok {
			text = "always " + f
		}
		if doc := firstSentence(s.comment(t.fields[n])); doc != "" {
			text += "; " + doc
		}
		fmt.Fprintf(b, "  %-*s  %s\n", width, joinPath(path), text)
	}
}

func firstSentence(doc string) string {
	if i := strings.Index(doc, ". "); i >= 0 {
		doc = doc[:i]
	}
	doc, _, _ = strings.Cut(doc, ": ")
	return strings.TrimSuffix(doc, ".")
}

// wrap breaks a paragraph into lines of at most 100 letters.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > 100:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// Fields lists the paths that begin with what is typed so far, one element further, and the IDs of warnings.
func Fields(typed string) []string {
	s := newShape()
	elements := strings.Split(typed, ".")
	parent := elements[:len(elements)-1]
	t, depth := s.root.find(parent)
	if depth < len(parent) {
		return nil
	}
	var found []string
	names := s.allNames(t)
	if len(names) == 0 && t.each != nil && len(t.patterns) > 0 {
		names = []string{"*"}
	}
	for _, n := range names {
		found = append(found, joinPath(append(parent[:len(parent):len(parent)], n)))
	}
	if len(parent) == 0 {
		for _, a := range Warnings() {
			found = append(found, a.ID)
		}
	}
	return slices.DeleteFunc(found, func(f string) bool { return !strings.HasPrefix(f, typed) })
}
