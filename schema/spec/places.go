package spec

import (
	"strings"
	"unicode/utf8"

	nodes "go.yaml.in/yaml/v3"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// placed corrects the places of findings in a YAML file that has letters of more than one byte: CUE takes the columns of the
// parser, which are letters, for bytes, and gives none to what seems to stand before the last one.
func placed(text string, found finding.List) finding.List {
	if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return found
	}
	var top nodes.Node
	if err := nodes.Unmarshal([]byte(text), &top); err != nil || len(top.Content) != 1 {
		return found
	}
	lines := strings.Split(text, "\n")
	for i := range found {
		key, n := nodeAt(top.Content[0], schema.SplitPath(found[i].Path))
		if n == nil || found[i].Path == "" {
			continue
		}
		if n.Kind != nodes.ScalarNode || n.Value == "" || found[i].Line == key.Line && found[i].Column == key.Column {
			n = key
		}
		letters := []rune(lines[n.Line-1])
		found[i].Line, found[i].Column = n.Line, len(string(letters[:min(n.Column-1, len(letters))]))+1
	}
	return found.Ordered()
}

// nodeAt finds what stands at a path, and its name; nil where the spec has none.
func nodeAt(n *nodes.Node, path []string) (key, value *nodes.Node) {
	if len(path) > 0 && n.Kind == nodes.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "cluster" {
		n = n.Content[1]
	}
	key = n
	for _, element := range path {
		next := -1
		for i := 0; n.Kind == nodes.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == element {
				next = i
			}
		}
		if next < 0 {
			return nil, nil
		}
		key, n = n.Content[next], n.Content[next+1]
	}
	return key, n
}
