// Package jsonschema writes the schema as JSON Schema, for editors of specs in YAML and JSON.
//
// It says what can be said about one field at a time: names, types, choices, patterns, defaults and comments. Whatever a spec
// may be fits; what joins two fields, and what only skep can tell, is left to skep vet.
package jsonschema

import (
	"encoding/json"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"skep.dev/schema/written"
)

// FileName is what the document is called beside a spec, and ID its name in the world.
const (
	FileName = "skep.schema.json"
	ID       = "https://skep.dev/schema/v1/cluster.json"
)

// Text is the document, of draft-07: newer ones are half read by editors.
func Text() ([]byte, error) {
	w := writer{written.NewSchema()}
	const cluster = "cluster"
	ref := &node{Ref: "#/definitions/" + cluster}
	spec := w.fields(w.Root)
	spec.Description = "A Docker Swarm cluster, as skep reads it."
	spec.Fields["$schema"] = schemaField()
	b, err := json.MarshalIndent(&node{
		Comment: "Generated. To renew it: skep schema >" + FileName, Draft: "http://json-schema.org/draft-07/schema#", ID: ID, Title: "skep",
		If:          &node{Type: "object", Required: []string{cluster}},
		Then:        &node{Fields: map[string]*node{cluster: ref, "$schema": schemaField()}, Others: &others{}},
		Else:        ref,
		Definitions: map[string]*node{cluster: spec},
	}, "", "  ")
	return append(b, '\n'), err
}

func schemaField() *node {
	return &node{Type: "string", Description: "Where this schema is, for editors; skep does not read it."}
}

// writer turns fields of the schema into nodes.
type writer struct{ *written.Schema }

// field is what may stand at a field.
func (w writer) field(t *written.Field) *node {
	var n *node
	switch {
	case t.IsList() && len(t.Shown()) == 0:
		n = &node{Type: "array"}
		if t.Each != nil && len(t.Each.Mentions) > 0 {
			n.Items = w.field(t.Each)
		}
	case len(t.Shown()) > 0, t.Each != nil && len(t.Patterns) > 0, w.Kind(t) == "fields":
		n = w.fields(t)
	default:
		n = w.scalar(t)
	}
	n.Description = w.Comment(t)
	if n.Type != "object" {
		n.Default = w.byDefault(t)
	}
	return n
}

func (w writer) scalar(t *written.Field) *node {
	n := &node{}
	for _, m := range t.Mentions {
		if v := w.value(m.Expr, 0); v != nil && m.Certain {
			n = n.and(v)
		}
	}
	return n.saying(w.Rule(t))
}

func (w writer) byDefault(t *written.Field) json.RawMessage {
	e, err := parser.ParseExpr("", w.Fallback(t))
	if err != nil {
		return nil
	}
	text, _ := fallback(e)
	return text
}

// fields is a field that has others, by their own names or by names of the user's choice.
func (w writer) fields(t *written.Field) *node {
	n := &node{Type: "object", Fields: map[string]*node{}, Others: &others{}}
	for _, name := range w.Visible(t) {
		child := t.Fields[name]
		if isFact(child) {
			continue
		}
		n.Fields[name] = w.field(child)
		if child.Required() {
			n.Required = append(n.Required, name)
		}
	}
	if t.Each != nil && len(t.Patterns) > 0 {
		n.Others.node = w.field(t.Each)
		n.Names = w.names(t)
	}
	return n
}

// isFact reports whether a field is a list that is written out.
func isFact(t *written.Field) bool { return len(t.Elements) > 0 && t.Each == nil }

// names are the rules about names that the user chooses.
func (w writer) names(t *written.Field) *node {
	n := &node{}
	for _, p := range t.Patterns {
		message, isRule := written.ErrorText(p.Value)
		label, isList := p.Label.(*ast.ListLit)
		if !isRule || !isList {
			continue
		}
		refused, ok := label.Elts[0].(*ast.UnaryExpr)
		if !ok {
			continue
		}
		wanted := w.bound(refused, 0)
		if wanted.Not != nil { // !~ names those that are refused: the others fit
			wanted = &node{Pattern: wanted.Not.Pattern, Message: message}
		} else {
			wanted = &node{Not: &node{Pattern: wanted.Pattern}, Message: message}
		}
		n.AllOf = append(n.AllOf, wanted)
	}
	if t == w.Root.Fields["exposures"] {
		n.AllOf = append(n.AllOf, &node{Not: &node{Pattern: "^(" + strings.Join(w.OwnRows(), "|") + ")$"}, Message: written.OwnRowRule})
	}
	switch len(n.AllOf) {
	case 0:
		return nil
	case 1:
		return n.AllOf[0]
	}
	return n
}
