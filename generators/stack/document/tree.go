package document

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Tree returns a value with yaml tags as a tree of YAML. yaml.Node.Encode would do that through text and back, and
// loses blanks at the start of a text with several lines. A part that is a tree already stays as it is.
func Tree[T any](v T) (*yaml.Node, error) { return tree(reflect.ValueOf(v)) }

func tree(v reflect.Value) (*yaml.Node, error) {
	if !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
	if n, ok := v.Interface().(yaml.Node); ok {
		return &n, nil
	}
	if m, ok := v.Interface().(yaml.Marshaler); ok {
		value, err := m.MarshalYAML()
		if err != nil {
			return nil, err
		}
		return tree(reflect.ValueOf(value))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return tree(v.Elem())
	case reflect.Struct:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		return n, addFields(n, v)
	case reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		return n, addEntries(n, v)
	case reflect.Slice, reflect.Array:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			item, err := tree(v.Index(i))
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		return n, nil
	}
	return scalar(v)
}

// addFields adds the fields of a struct, as their tags say.
func addFields(n *yaml.Node, v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		inline, flow := strings.Contains(options, "inline"), strings.Contains(options, "flow")
		var err error
		switch {
		case !field.IsExported() || name == "-" || strings.Contains(options, "omitempty") && empty(v.Field(i)):
		case inline && field.Type.Kind() == reflect.Map:
			err = addEntries(n, v.Field(i))
		case inline:
			err = addFields(n, v.Field(i))
		default:
			var value *yaml.Node
			if value, err = tree(v.Field(i)); err == nil && flow {
				value.Style = yaml.FlowStyle
			}
			n.Content = append(n.Content, Text(cmp.Or(name, strings.ToLower(field.Name))), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addEntries adds the entries of a map, sorted.
func addEntries(n *yaml.Node, v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("want names as keys, got %s", v.Type().Key())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		value, err := tree(v.MapIndex(key))
		if err != nil {
			return err
		}
		n.Content = append(n.Content, Text(key.String()), value)
	}
	return nil
}

// empty reports whether omitempty leaves the value out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if !empty(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

func scalar(v reflect.Value) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch {
	case v.Kind() == reflect.String && !utf8.ValidString(v.String()):
		return nil, fmt.Errorf("%q: YAML holds valid UTF-8 alone", v.String())
	case v.Kind() == reflect.String:
		return Text(v.String()), nil
	case v.Kind() == reflect.Bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v.Bool())
	case v.CanInt():
		n.Tag, n.Value = "!!int", strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		n.Tag, n.Value = "!!int", strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		n.Tag, n.Value = "!!float", strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	default:
		return nil, fmt.Errorf("YAML has nothing for a %s", v.Type())
	}
	return n, nil
}

// older is what YAML 1.1, which older engines read, takes for a boolean or for a number to the base of 60.
var older = regexp.MustCompile(`^(?i:y|yes|on|n|no|off|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// Text returns a text as a leaf of a tree. What else it could be taken for is put in quotes by the encoder; it knows
// neither YAML 1.1, nor that a block which begins with white space does not show where its lines begin.
func Text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	blank := s != strings.TrimLeftFunc(s, unicode.IsSpace)
	if older.MatchString(s) || blank && strings.Contains(s, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
