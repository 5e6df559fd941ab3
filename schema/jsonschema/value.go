package jsonschema

import (
	"encoding/json"
	"slices"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"skep.dev/schema/written"
)

// deepest is how far a value's definition may refer to others.
const deepest = 12

// value gives what an expression of the schema says of a scalar, or nil where it is no choice but a message. What JSON Schema
// cannot say is left out: nothing that fits the spec is refused.
func (w writer) value(e ast.Expr, depth int) *node {
	if _, isMessage := written.ErrorText(e); isMessage {
		return nil
	}
	if depth > deepest {
		return &node{}
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return w.value(e.X, depth)
	case *ast.BasicLit:
		return constant(e)
	case *ast.Ident:
		if kind := kinds()[e.Name]; kind != "" {
			return &node{Type: kind}
		}
		if target := w.Definition(e.Name); target != nil {
			return w.value(target, depth+1)
		}
	case *ast.SelectorExpr, *ast.CallExpr:
		return library(written.SourceText(e))
	case *ast.UnaryExpr:
		return w.bound(e, depth)
	case *ast.BinaryExpr:
		x, y := w.value(e.X, depth), w.value(e.Y, depth)
		switch {
		case e.Op != token.AND && e.Op != token.OR:
		case x == nil:
			return y
		case y == nil:
			return x
		case e.Op == token.AND:
			return x.and(y)
		default:
			return x.or(y)
		}
	}
	return &node{}
}

// kinds are the types of scalars as JSON Schema calls them.
func kinds() map[string]string {
	return map[string]string{"string": "string", "int": "integer", "bool": "boolean"}
}

// constant is a value that stands for itself.
func constant(e *ast.BasicLit) *node {
	switch e.Kind {
	case token.STRING:
		text, err := literal.Unquote(e.Value)
		if err != nil {
			return &node{}
		}
		return &node{Type: "string", Enum: values{quoted(text)}}
	case token.INT:
		return &node{Type: "integer", Enum: values{json.RawMessage(e.Value)}}
	case token.TRUE, token.FALSE:
		return &node{Type: "boolean", Enum: values{json.RawMessage(e.Value)}}
	}
	return &node{}
}

func quoted(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage(strconv.Quote(text)) // never: every string has a form in JSON
	}
	return b
}

// bound is a pattern, a limit or a default; of the default all fits that fits beside it.
func (w writer) bound(e *ast.UnaryExpr, depth int) *node {
	if e.Op == token.MUL {
		return w.value(e.X, depth)
	}
	lit, ok := e.X.(*ast.BasicLit)
	if !ok {
		return &node{}
	}
	switch e.Op {
	case token.GEQ:
		return &node{Minimum: json.Number(lit.Value)}
	case token.LEQ:
		return &node{Maximum: json.Number(lit.Value)}
	case token.NEQ:
		return &node{Not: constant(lit)}
	case token.MAT, token.NMAT:
		pattern, err := literal.Unquote(lit.Value)
		if err != nil {
			return &node{}
		}
		if e.Op == token.NMAT {
			return &node{Type: "string", Not: &node{Pattern: pattern}}
		}
		return &node{Type: "string", Pattern: pattern}
	}
	return &node{}
}

// Prefix lengths of addresses.
const (
	length4 = `^[0-9.]+/(3[0-2]|[12]?[0-9])$`
	length6 = `:[0-9a-fA-F.:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$`
)

// library is what the packages of CUE that the schema uses say of a text.
func library(name string) *node {
	switch name {
	case "net.IP":
		return &node{AnyOf: []*node{{Format: "ipv4"}, {Format: "ipv6"}}}
	case "net.IPCIDR":
		return &node{AnyOf: []*node{{Pattern: length4}, {Pattern: length6}}}
	case `time.Format("2006-01-02")`:
		return &node{Format: "date"}
	}
	return &node{}
}

// fallback is a default as JSON, where it is a value by itself.
func fallback(e ast.Expr) (json.RawMessage, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		c := constant(e)
		return slices.Concat(c.Enum...), len(c.Enum) == 1
	case *ast.ListLit:
		list := []byte("[")
		for i, element := range e.Elts {
			one, ok := fallback(element)
			if !ok {
				return nil, false
			}
			if i > 0 {
				list = append(list, ',')
			}
			list = append(list, one...)
		}
		return append(list, ']'), true
	}
	return nil, false
}
