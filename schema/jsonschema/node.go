package jsonschema

import (
	"encoding/json"
	"reflect"
	"slices"
)

// node is one schema of a document, in the words of draft-07 that skep uses.
type node struct {
	Comment     string           `json:"$comment,omitempty"`
	Draft       string           `json:"$schema,omitempty"`
	ID          string           `json:"$id,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Ref         string           `json:"$ref,omitempty"`
	Type        string           `json:"type,omitempty"`
	Default     json.RawMessage  `json:"default,omitempty"`
	Enum        values           `json:"enum,omitempty"`
	Format      string           `json:"format,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	Minimum     json.Number      `json:"minimum,omitempty"`
	Maximum     json.Number      `json:"maximum,omitempty"`
	Not         *node            `json:"not,omitempty"`
	Message     string           `json:"errorMessage,omitempty"` // of the servers for JSON and YAML of VS Code
	Items       *node            `json:"items,omitempty"`
	Names       *node            `json:"propertyNames,omitempty"`
	Required    []string         `json:"required,omitempty"`
	Fields      map[string]*node `json:"properties,omitempty"`
	Others      *others          `json:"additionalProperties,omitempty"`
	AnyOf       []*node          `json:"anyOf,omitempty"`
	AllOf       []*node          `json:"allOf,omitempty"`
	If          *node            `json:"if,omitempty"`
	Then        *node            `json:"then,omitempty"`
	Else        *node            `json:"else,omitempty"`
	Definitions map[string]*node `json:"definitions,omitempty"`
}

// values are what a scalar may be, each as JSON.
type values []json.RawMessage

func (v values) has(one json.RawMessage) bool {
	return slices.ContainsFunc(v, func(other json.RawMessage) bool { return string(one) == string(other) })
}

// others is the schema of fields that are not named; without one there are none.
type others struct{ *node }

// MarshalJSON gives false where no other field may stand.
func (o others) MarshalJSON() ([]byte, error) {
	if o.node == nil {
		return []byte("false"), nil
	}
	return json.Marshal(o.node)
}

// isAny reports whether every value fits.
func (n *node) isAny() bool { return reflect.DeepEqual(*n, node{}) }

// and is the schema of what fits both: one node where their words differ, or else a list.
func (n *node) and(o *node) *node {
	switch {
	case n.isAny():
		return o
	case o.isAny() || reflect.DeepEqual(n, o):
		return n
	case n.refuses() && o.refuses():
		return &node{Not: n.Not.or(o.Not)}
	case n.isChoice() && o.refuses():
		return &node{Type: n.Type, Enum: slices.DeleteFunc(slices.Clone(n.Enum), o.Not.Enum.has)}
	}
	both := *n
	a, b := reflect.ValueOf(&both).Elem(), reflect.ValueOf(o).Elem()
	for i := range b.NumField() {
		switch {
		case b.Field(i).IsZero() || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()):
		case a.Field(i).IsZero():
			a.Field(i).Set(b.Field(i))
		default:
			rest := *n
			rest.AllOf = append(slices.Clone(n.AllOf), o)
			return &rest
		}
	}
	return &both
}

// or is the schema of what fits one of both.
func (n *node) or(o *node) *node {
	if n.isAny() || o.isAny() {
		return &node{}
	}
	branches := slices.Clone(n.branches())
	for _, b := range o.branches() {
		if last := branches[len(branches)-1]; last.isChoice() && b.isChoice() && last.Type == b.Type {
			branches[len(branches)-1] = &node{Type: b.Type, Enum: slices.Concat(last.Enum, b.Enum)}
			continue
		}
		branches = append(branches, b)
	}
	if len(branches) == 1 {
		return branches[0]
	}
	return &node{AnyOf: branches}
}

// saying is a node with a message. Editors show that of the branch that comes closest.
func (n *node) saying(message string) *node {
	said := *n
	said.Message = message
	said.AnyOf = nil
	for _, b := range n.AnyOf {
		said.AnyOf = append(said.AnyOf, b.saying(message))
	}
	return &said
}

// isChoice reports whether a node lists values and says nothing else.
func (n *node) isChoice() bool {
	return len(n.Enum) > 0 && reflect.DeepEqual(*n, node{Type: n.Type, Enum: n.Enum})
}

// refuses reports whether a node is for all but some values.
func (n *node) refuses() bool {
	return n.Not != nil && n.Not.isChoice() && reflect.DeepEqual(*n, node{Not: n.Not})
}

func (n *node) branches() []*node {
	if len(n.AnyOf) > 0 && reflect.DeepEqual(*n, node{AnyOf: n.AnyOf}) {
		return n.AnyOf
	}
	return []*node{n}
}
