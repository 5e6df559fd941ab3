package lsp

import (
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	yaml "go.yaml.in/yaml/v3"
)

// place is a field of a spec and where, in bytes, it stands: its name, or its value.
type place struct {
	path       []string
	start, end int
}

// fieldAt finds the field of a spec at a byte of its text.
func fieldAt(file string, text []byte, offset int) (place, bool) {
	if filepath.Ext(file) != ".cue" {
		return fieldOfData(text, offset)
	}
	tree, _ := parser.ParseFile(file, text) // a text with mistakes has fields, too
	if tree == nil {
		return place{}, false
	}
	return fieldOf(tree.Decls, nil, offset)
}

func fieldOf(decls []ast.Decl, path []string, offset int) (place, bool) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil {
				name = "*" // a pattern, or computed
			}
			next := append(path[:len(path):len(path)], name)
			if covers(d.Label, offset) {
				return place{next, d.Label.Pos().Offset(), d.Label.End().Offset()}, true
			}
			if d.Value != nil && covers(d.Value, offset) {
				return fieldOfValue(d.Value, next, offset)
			}
		case *ast.EmbedDecl:
			if covers(d.Expr, offset) {
				return fieldOfValue(d.Expr, path, offset)
			}
		case *ast.Comprehension:
			if covers(d.Value, offset) {
				return fieldOfValue(d.Value, path, offset)
			}
		}
	}
	return place{}, false
}

func fieldOfValue(e ast.Expr, path []string, offset int) (place, bool) {
	switch e := e.(type) {
	case *ast.StructLit:
		return fieldOf(e.Elts, path, offset)
	case *ast.ListLit:
		for i, element := range e.Elts {
			if covers(element, offset) {
				return fieldOfValue(element, append(path[:len(path):len(path)], strconv.Itoa(i)), offset)
			}
		}
		return place{}, false
	case *ast.BinaryExpr:
		for _, side := range []ast.Expr{e.X, e.Y} {
			if covers(side, offset) {
				return fieldOfValue(side, path, offset)
			}
		}
	case *ast.ParenExpr:
		return fieldOfValue(e.X, path, offset)
	}
	return place{path, e.Pos().Offset(), e.End().Offset()}, len(path) > 0
}

func covers(n ast.Node, offset int) bool {
	return n.Pos().IsValid() && n.End().IsValid() && n.Pos().Offset() <= offset && offset <= n.End().Offset()
}

// fieldOfData is fieldAt for YAML, and JSON, which is YAML.
func fieldOfData(text []byte, offset int) (place, bool) {
	var top yaml.Node
	if err := yaml.Unmarshal(text, &top); err != nil || len(top.Content) != 1 {
		return place{}, false
	}
	return dataField(top.Content[0], nil, text, offset)
}

func dataField(n *yaml.Node, path []string, text []byte, offset int) (place, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			next := append(path[:len(path):len(path)], key.Value)
			if found, ok := scalarAt(key, next, text, offset); ok {
				return found, true
			}
			if found, ok := dataField(value, next, text, offset); ok {
				return found, true
			}
		}
	case yaml.SequenceNode:
		for i, element := range n.Content {
			if found, ok := dataField(element, append(path[:len(path):len(path)], strconv.Itoa(i)), text, offset); ok {
				return found, true
			}
		}
	case yaml.ScalarNode:
		return scalarAt(n, path, text, offset)
	}
	return place{}, false
}

// scalarAt is the place of a scalar of one line, where the byte is in it.
func scalarAt(n *yaml.Node, path []string, text []byte, offset int) (place, bool) {
	start := offsetOf(text, position{Line: n.Line - 1})
	for range n.Column - 1 { // which counts characters
		_, size := utf8.DecodeRune(text[min(start, len(text)):])
		start += size
	}
	size := len(n.Value)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		size += len(`""`)
	}
	end := min(start+size, len(text))
	return place{path, start, end}, len(path) > 0 && start <= offset && offset <= end
}
