package schema

import (
	"cmp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// comment is what the schema says about a field; that it is derived is said beside it.
func (s *shape) comment(t *tree) string { return strings.TrimPrefix(t.doc(), "Derived: ") }

// standing says whether a spec must, may or cannot set a field.
func (s *shape) standing(elements []string, t *tree) string {
	switch {
	case len(elements) > 0 && isDerived(elements[0]):
		return "derived: it follows from the other fields"
	case isComputed(t):
		return "derived: it follows from other fields, and cannot be set"
	case s.isFixed(t):
		return "fact: it cannot be set"
	case t.required():
		return "required"
	case s.defaultText(t) != "":
		return "may be left out: it has a default"
	case t.optional():
		return "optional: it is off when left out"
	}
	return "may be left out: its fields have defaults"
}

// computed stands for a default that follows from other fields; the field's comment says how.
const computed = "follows from other fields"

// defaultText gives a field's default as the spec would write it; a default that is computed has its comment.
func (s *shape) defaultText(t *tree) string {
	text := s.fallback(t)
	if strings.HasPrefix(text, "_") {
		return computed
	}
	return text
}

// kind names the type of a field in the words of a spec.
func (s *shape) kind(t *tree) string {
	if isComputed(t) {
		return cmp.Or(s.scalar(t.places[0].expr, 0), "string")
	}
	if t.isList() && len(s.allNames(t)) == 0 {
		if t.each != nil && len(t.each.places) > 0 {
			return "list of " + plural(s.kind(t.each))
		}
		return "list"
	}
	switch {
	case len(s.allNames(t)) > 0:
		return "fields"
	case t.each != nil && len(t.fields) == 0 && len(t.patterns) > 0:
		return "fields with names of your choice, each " + s.kind(t.each)
	}
	if values := s.choices(t); len(values) > 1 {
		return "one of " + strings.Join(values, ", ")
	}
	for _, p := range t.places {
		if k := s.scalar(p.expr, 0); k != "" {
			return k
		}
	}
	return "fields"
}

func plural(kind string) string {
	switch kind {
	case "string", "whole number":
		return kind + "s"
	}
	return kind
}

// choices gives the strings that a field chooses from, where that is all its rule.
func (s *shape) choices(t *tree) []string {
	var values []string
	for _, p := range t.places {
		ast.Walk(p.expr, func(n ast.Node) bool {
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
func (s *shape) scalar(e ast.Expr, depth int) string {
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
		if t, n := s.root.find(strings.Split(sourceText(e), ".")); n > 0 && n == strings.Count(sourceText(e), ".")+1 {
			return s.kind(t)
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

// exampleLine writes an example as a spec in CUE has it, on one line.
func (s *shape) exampleLine(elements []string, t *tree) string {
	if s.isFixed(t) || isComputed(t) || isDerived(elements[0]) {
		return ""
	}
	value := s.example(t, 0)
	if value == "" {
		return ""
	}
	var b strings.Builder
	at := s.root
	for _, e := range elements {
		next := at.at(e)
		if e == "*" {
			e = "m1"
		}
		if at.isList() && at.fields[e] == nil {
			return "" // an element has no line of its own
		}
		b.WriteString(label(e) + ": ")
		at = next
	}
	return b.String() + value
}

// sample gives a rule with an example in it: the field's own, or that of one of the definitions it chooses from.
func (s *shape) sample(t *tree) string {
	text := s.rule(t)
	for _, p := range t.places {
		ast.Walk(p.expr, func(n ast.Node) bool {
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

// example makes a value: what the rule gives after "such as", the default, the first choice, or the required fields.
func (s *shape) example(t *tree, depth int) string {
	if depth > 6 {
		return ""
	}
	if t.isList() && len(s.allNames(t)) == 0 {
		if t.each == nil || len(t.each.places) == 0 {
			return "[]"
		}
		return "[" + s.example(t.each, depth+1) + "]"
	}
	if len(s.allNames(t)) > 0 {
		var fields []string
		for _, n := range s.allNames(t) {
			if t.fields[n].required() {
				fields = append(fields, label(n)+": "+s.example(t.fields[n], depth+1))
			}
		}
		for _, n := range s.allNames(t) { // one of several: the first will do
			if len(fields) == 0 && t.required() && t.fields[n].optional() {
				fields = append(fields, label(n)+": "+s.example(t.fields[n], depth+1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	if t.each != nil && len(t.patterns) > 0 {
		if len(t.each.fields) == 0 {
			return `{disk: "ssd"}` // a label
		}
		return "{m1: " + s.example(t.each, depth+1) + "}"
	}
	kind := s.kind(t)
	if _, after, ok := strings.Cut(s.sample(t), " such as "); ok {
		word := strings.Trim(strings.Fields(after)[0], `",`)
		if kind == "string" {
			return strconv.Quote(word)
		}
		return word
	}
	if d := s.fallback(t); d != "" && !strings.HasPrefix(d, "_") {
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
