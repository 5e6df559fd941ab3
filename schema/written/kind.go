package written

import (
	"cmp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// Comment is what the schema says about a field; that it is derived is said beside it.
func (s *Schema) Comment(t *Field) string { return strings.TrimPrefix(t.doc(), "Derived: ") }

// Standing says whether a spec must, may or cannot set a field.
func (s *Schema) Standing(elements []string, t *Field) string {
	switch {
	case len(elements) > 0 && IsDerived(elements[0]):
		return "derived: it follows from the other fields"
	case IsComputed(t):
		return "derived: it follows from other fields, and cannot be set"
	case s.IsFixed(t):
		return "fact: it cannot be set"
	case t.Required():
		return "required"
	case s.DefaultText(t) != "":
		return "may be left out: it has a default"
	case t.Optional():
		return "optional: it is off when left out"
	}
	return "may be left out: its fields have defaults"
}

// Computed stands for a default that follows from other fields; the field's comment says how.
const Computed = "follows from other fields"

// DefaultText gives a field's default as the spec would write it; a default that is computed has its comment.
func (s *Schema) DefaultText(t *Field) string {
	text := s.Fallback(t)
	if strings.HasPrefix(text, "_") {
		return Computed
	}
	return text
}

// Kind names the type of a field in the words of a spec.
func (s *Schema) Kind(t *Field) string {
	if IsComputed(t) {
		return cmp.Or(s.scalar(t.Mentions[0].Expr, 0), "string")
	}
	if t.IsList() && len(t.Shown()) == 0 {
		if t.Each != nil && len(t.Each.Mentions) > 0 {
			return "list of " + plural(s.Kind(t.Each))
		}
		return "list"
	}
	switch {
	case len(t.Shown()) > 0:
		return "fields"
	case t.Each != nil && len(t.Fields) == 0 && len(t.Patterns) > 0:
		return "fields with names of your choice, each " + s.Kind(t.Each)
	}
	if values := s.choices(t); len(values) > 1 {
		return "one of " + strings.Join(values, ", ")
	}
	for _, p := range t.Mentions {
		if k := s.scalar(p.Expr, 0); k != "" {
			return k
		}
	}
	return "fields"
}

// IsText reports whether a kind is written in quotes.
func IsText(kind string) bool { return kind == "string" || strings.HasPrefix(kind, `one of "`) }

func plural(kind string) string {
	switch kind {
	case "string", "whole number":
		return kind + "s"
	}
	return kind
}

// choices gives the strings that a field chooses from, where that is all its rule.
func (s *Schema) choices(t *Field) []string {
	var values []string
	for _, p := range t.Mentions {
		ast.Walk(p.Expr, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructLit, *ast.ListLit, *ast.CallExpr:
				return false
			case *ast.UnaryExpr:
				return n.Op != token.MUL && n.Op != token.MAT && n.Op != token.NMAT
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					values = append(values, n.Value)
				}
			}
			return true
		}, nil)
	}
	return values
}

// scalar finds the type of a scalar's expression, through the definitions it refers to.
func (s *Schema) scalar(e ast.Expr, depth int) string {
	if depth > 12 {
		return ""
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.scalar(e.X, depth+1)
	case *ast.UnaryExpr:
		if e.Op == token.MAT || e.Op == token.NMAT {
			return "string"
		}
		return s.scalar(e.X, depth+1)
	case *ast.BinaryExpr:
		if k := s.scalar(e.X, depth+1); k != "" {
			return k
		}
		return s.scalar(e.Y, depth+1)
	case *ast.IndexExpr:
		return s.scalar(e.X, depth+1)
	case *ast.ListLit: // of which one is picked
		for _, element := range e.Elts {
			if k := s.scalar(element, depth+1); k != "" {
				return k
			}
		}
	case *ast.Comprehension:
		if value, ok := e.Value.(*ast.StructLit); ok {
			return s.scalar(value, depth+1)
		}
	case *ast.StructLit: // a value in braces, or one of several by name
		for _, d := range e.Elts {
			k := ""
			switch d := d.(type) {
			case *ast.EmbedDecl:
				k = s.scalar(d.Expr, depth+1)
			case *ast.Field:
				k = s.scalar(d.Value, depth+1)
			}
			if k != "" {
				return k
			}
		}
	case *ast.SelectorExpr:
		if t, n := s.Root.Find(strings.Split(SourceText(e), ".")); n > 0 && n == strings.Count(SourceText(e), ".")+1 {
			return s.Kind(t)
		}
	case *ast.BasicLit:
		return map[token.Token]string{token.STRING: "string", token.INT: "whole number", token.TRUE: "true or false", token.FALSE: "true or false"}[e.Kind]
	case *ast.Ident:
		if k, ok := map[string]string{"string": "string", "int": "whole number", "bool": "true or false"}[e.Name]; ok {
			return k
		}
		if target := s.defs[e.Name]; target != nil {
			return s.scalar(target, depth+1)
		}
	}
	return ""
}

// ExampleLine writes an example as a spec in CUE has it, on one line.
func (s *Schema) ExampleLine(elements []string, t *Field) string {
	if s.IsFixed(t) || IsComputed(t) || IsDerived(elements[0]) {
		return ""
	}
	value := s.Example(t, 0)
	if value == "" {
		return ""
	}
	var b strings.Builder
	at := s.Root
	for _, e := range elements {
		next := at.At(e)
		if e == "*" {
			e, _ = at.sampleField()
		}
		if at.IsList() && at.Fields[e] == nil {
			return "" // an element has no line of its own
		}
		b.WriteString(label(e) + ": ")
		at = next
	}
	return b.String() + value
}

// sampleField gives a name for one of the fields of a map, by @example(NAME) or @example(NAME,VALUE) at its pattern, and a value.
func (t *Field) sampleField() (name, value string) {
	for _, p := range t.Patterns {
		if sample := sampleOf(p); sample != "" {
			name, value, _ = strings.Cut(sample, ",")
			return strings.Trim(name, `"`), value
		}
	}
	return "name", ""
}

// sampleOf is what stands in a field's @example.
func sampleOf(f *ast.Field) string {
	for _, a := range f.Attrs {
		if key, body := a.Split(); key == "example" {
			return body
		}
	}
	return ""
}

// sample gives a rule with an example in it: the field's own, or that of one of the definitions it chooses from.
func (s *Schema) sample(t *Field) string {
	text := s.Rule(t)
	for _, p := range t.Mentions {
		ast.Walk(p.Expr, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !strings.Contains(text, " such as ") && s.defs[id.Name] != nil {
				text = s.exprRule(s.defs[id.Name], 0)
			}
			_, isStruct := n.(*ast.StructLit)
			return !isStruct
		}, nil)
	}
	return text
}

func label(name string) string {
	if ast.IsValidIdent(name) {
		return name
	}
	return strconv.Quote(name)
}

// Example makes a value: what the rule gives after "such as", the default, the first choice, or the required fields.
func (s *Schema) Example(t *Field, depth int) string {
	if depth > 6 {
		return ""
	}
	if t.IsList() && len(t.Shown()) == 0 {
		if t.Each == nil || len(t.Each.Mentions) == 0 {
			return "[]"
		}
		return "[" + s.Example(t.Each, depth+1) + "]"
	}
	if len(t.Shown()) > 0 {
		var fields []string
		for _, n := range t.Shown() {
			if t.Fields[n].Required() {
				fields = append(fields, label(n)+": "+s.Example(t.Fields[n], depth+1))
			}
		}
		for _, n := range t.Shown() { // one of several: the first will do
			if len(fields) == 0 && t.Required() && t.Fields[n].Optional() {
				fields = append(fields, label(n)+": "+s.Example(t.Fields[n], depth+1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	if t.Each != nil && len(t.Patterns) > 0 {
		name, value := t.sampleField()
		return "{" + label(name) + ": " + cmp.Or(value, s.Example(t.Each, depth+1)) + "}"
	}
	for _, p := range t.Mentions {
		if p.Sample != "" {
			return p.Sample
		}
	}
	kind := s.Kind(t)
	if _, after, ok := strings.Cut(s.sample(t), " such as "); ok {
		word := strings.Trim(strings.Fields(after)[0], `",`)
		if kind == "string" {
			return strconv.Quote(word)
		}
		return word
	}
	if d := s.Fallback(t); d != "" && !strings.HasPrefix(d, "_") {
		return d
	}
	if values := s.choices(t); len(values) > 0 {
		return values[0]
	}
	switch kind {
	case "true or false":
		return "true"
	case "whole number":
		return "2222"
	case "string":
		return `"m1"`
	}
	return "{}"
}
