// Package explain tells about the fields of a spec and about the IDs of findings.
package explain

import (
	"fmt"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// schemaText writes about the schema.
type schemaText struct{ *written.Schema }

// About tells about a field of the spec ("services.nfs.path", "nodes.*.address") or the ID of a finding ("managers-even"):
// its type, default, rule, comment, an example, and its fields. Without a path it lists the top of the spec.
// The error says what the path may have meant.
func About(path string) (string, error) {
	for _, a := range finding.Kinds() {
		if string(a.ID) == path {
			return fmt.Sprintf("%s: %s\n\n%s\n\n%s\n", a.ID, a.Title, wrap(a.Why), wrap(a.Way)), nil
		}
	}
	s := schemaText{written.NewSchema()}
	elements := schema.SplitPath(path)
	if len(elements) > 0 && elements[0] == "cluster" {
		elements = elements[1:]
	}
	if len(elements) == 0 {
		return s.explainTop(), nil
	}
	t, depth := s.Root.Find(elements)
	if depth < len(elements) || written.IsHidden(elements[depth-1]) {
		return "", s.noSuch(elements, t, depth)
	}
	return s.explain(elements, t), nil
}

// noSuch says which part of a path is not in the schema, and what is near.
func (s schemaText) noSuch(elements []string, parent *written.Field, depth int) error {
	if depth == len(elements) {
		return fmt.Errorf("%s is internal to the schema", schema.JoinPath(elements...))
	}
	names := parent.Shown()
	words := map[string]string{}
	if depth == 0 {
		for _, k := range finding.Kinds() {
			names = append(names, string(k.ID))
			words[string(k.ID)] = word(k.Level)
		}
	}
	head := schema.JoinPath(elements[:depth+1]...)
	near := written.Nearest(elements[depth], names)
	switch {
	case near != "" && words[near] != "":
		return fmt.Errorf("%s is not a field or %s; did you mean %s?", head, words[near], near)
	case near != "":
		whole := append(append(append([]string{}, elements[:depth]...), near), elements[depth+1:]...)
		return fmt.Errorf("%s is not a field; did you mean %s?", head, schema.JoinPath(whole...))
	case depth == 0:
		return fmt.Errorf("%s is not a field; want one of %s, or the ID of a finding: skep explain lists them", head, strings.Join(parent.Shown(), ", "))
	case len(names) > 0:
		return fmt.Errorf("%s is not a field; want one of %s", head, strings.Join(names, ", "))
	}
	return fmt.Errorf("%s is not a field: %s has no fields", head, schema.JoinPath(elements[:depth]...))
}

func (s schemaText) explainTop() string {
	var b strings.Builder
	b.WriteString("A spec has these fields (`skep explain FIELD` tells more):\n\n")
	s.table(&b, nil, s.Root)
	for _, level := range []finding.Level{finding.Warning, finding.Mistake} {
		fmt.Fprintf(&b, "\n%ss (`skep explain ID`):\n\n", strings.ToUpper(word(level)[:1])+word(level)[1:])
		for _, k := range finding.Kinds() {
			if k.Level == level {
				fmt.Fprintf(&b, "  %-21s %s\n", k.ID, k.Title)
			}
		}
	}
	return b.String()
}

func (s schemaText) explain(elements []string, t *written.Field) string {
	var b strings.Builder
	b.WriteString(schema.JoinPath(elements...) + "\n\n")
	if doc := s.Comment(t); doc != "" {
		b.WriteString(wrap(doc) + "\n\n")
	}
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-9s%s\n", key, value)
		}
	}
	line("type", s.Kind(t))
	line("set", s.Standing(elements, t))
	line("default", s.DefaultText(t))
	line("rule", s.Rule(t))
	for _, p := range t.Patterns { // rules about the names of its fields
		if text, ok := written.ErrorText(p.Value); ok {
			line("names", text)
		}
	}
	if example := s.ExampleLine(elements, t); example != "" {
		line("example", example)
	}
	if t.IsList() && t.Each != nil {
		line("each", s.Rule(t.Each))
	}
	inner := t
	if (len(t.Shown()) == 0 || written.IsDerived(schema.JoinPath(elements...))) && t.Each != nil && len(t.Each.Shown()) > 0 {
		inner, elements = t.Each, append(elements[:len(elements):len(elements)], "*")
	}
	if len(inner.Shown()) > 0 {
		b.WriteString("\nfields\n")
		s.table(&b, elements, inner)
	}
	return b.String()
}

// word is what people call a finding.
func word(l finding.Level) string {
	if l == finding.Mistake {
		return "mistake"
	}
	return "warning"
}

// table lists the fields of a struct with the first sentence about each.
func (s schemaText) table(b *strings.Builder, elements []string, t *written.Field) {
	width := 0
	for _, n := range t.Shown() {
		width = max(width, len(schema.JoinPath(append(elements[:len(elements):len(elements)], n)...)))
	}
	for _, n := range t.Shown() {
		path := append(elements[:len(elements):len(elements)], n)
		text := s.Standing(path, t.Fields[n])
		text, _, _ = strings.Cut(text, ":")
		if d := s.DefaultText(t.Fields[n]); d != "" && d != written.Computed {
			text = "default " + d
		}
		if f, ok := s.Fact(t.Fields[n]); ok {
			text = "always " + f
		}
		if doc := firstSentence(s.Comment(t.Fields[n])); doc != "" {
			text += "; " + doc
		}
		fmt.Fprintf(b, "  %-*s  %s\n", width, schema.JoinPath(path...), text)
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

// Fields lists the paths that begin with what is typed so far, one element further, and the IDs of findings.
func Fields(typed string) []string {
	s := schemaText{written.NewSchema()}
	elements := strings.Split(typed, ".")
	parent := elements[:len(elements)-1]
	t, depth := s.Root.Find(parent)
	if depth < len(parent) {
		return nil
	}
	var found []string
	names := t.Shown()
	if len(names) == 0 && t.Each != nil && len(t.Patterns) > 0 {
		names = []string{"*"}
	}
	for _, n := range names {
		found = append(found, schema.JoinPath(append(parent[:len(parent):len(parent)], n)...))
	}
	if len(parent) == 0 {
		for _, k := range finding.Kinds() {
			found = append(found, string(k.ID))
		}
	}
	return slices.DeleteFunc(found, func(f string) bool { return !strings.HasPrefix(f, typed) })
}
