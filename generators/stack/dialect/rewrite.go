package dialect

import (
	"cmp"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"skep.dev/generators/stack/document"
	"skep.dev/schema/compose/format"
)

// pairs yields the entries of a mapping; other parts of a tree, and none, have no entries.
func pairs(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

func child(n *yaml.Node, name string) *yaml.Node {
	for k, v := range pairs(n) {
		if k == name {
			return v
		}
	}
	return nil
}

func remove(n *yaml.Node, name string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
			return
		}
	}
}

// mapping is one of texts: a name, its value, and so on.
func mapping(entries ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, e := range entries {
		n.Content = append(n.Content, document.Text(e))
	}
	return n
}

// prune drops keys of mappings that say nothing. Names stay: below networks and volumes an empty value has a meaning. So has
// one in the specification of a cluster volume.
func prune(n *yaml.Node, path ...string) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			prune(item, append(slices.Clone(path), "")...)
		}
	}
	if n.Kind != yaml.MappingNode || slices.Contains(path, format.ClusterSpec) {
		return
	}
	named := len(path) == 1 && path[0] != "services" || len(path) == 3 && path[0] == "services" && path[2] == "networks"
	kept := n.Content[:0:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		prune(v, append(slices.Clone(path), k.Value)...)
		if named || !blank(v) {
			kept = append(kept, k, v)
		}
	}
	n.Content = kept
}

func blank(n *yaml.Node) bool {
	return n.Tag == "!!null" || n.Kind == yaml.MappingNode && len(n.Content) == 0
}

// arrange puts the entries of a mapping in the order of names, and those without one behind.
func arrange(n *yaml.Node, names []string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	pairs := slices.Collect(slices.Chunk(n.Content, 2))
	rank := func(pair []*yaml.Node) int {
		if i := slices.Index(names, pair[0].Value); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int { return cmp.Compare(rank(a), rank(b)) })
	n.Content = slices.Concat(pairs...)
}

// escape doubles every "$" in values, which deploy would read as the start of a variable. It does not read keys.
func escape(n *yaml.Node) {
	switch n.Kind {
	case yaml.ScalarNode:
		n.Value = strings.ReplaceAll(n.Value, "$", "$$")
	case yaml.MappingNode:
		for _, v := range pairs(n) {
			escape(v)
		}
	default:
		for _, v := range n.Content {
			escape(v)
		}
	}
}

// shorten turns a mapping of names without values into a list.
func shorten(n *yaml.Node) {
	for _, v := range pairs(n) {
		if !blank(v) {
			return
		}
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	var names []*yaml.Node
	for name := range pairs(n) {
		names = append(names, document.Text(name))
	}
	n.Kind, n.Tag, n.Content = yaml.SequenceNode, "!!seq", names
}

// number takes the quotes off a number that deploy wants bare. A mode keeps its leading zero: it is octal for YAML 1.1
// and for Go's YAML.
func number(n *yaml.Node) {
	if n != nil {
		n.Tag, n.Style = "!!int", 0
	}
}

func quoted(n *yaml.Node) {
	if n != nil {
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	}
}

// wholeMinutes is how Go writes a duration that has no seconds.
var wholeMinutes = regexp.MustCompile(`^(\d+h)?(\d+m)0s$`)

// durations drops the zeros at the end of durations: "1m0s" is "1m".
func durations(n *yaml.Node, names ...string) {
	for _, name := range names {
		d := child(n, name)
		if d == nil {
			continue
		}
		d.Value = wholeMinutes.ReplaceAllString(d.Value, "$1$2")
		if h, ok := strings.CutSuffix(d.Value, "h0m"); ok {
			d.Value = h + "h"
		}
	}
}

// memory writes a number of bytes as people do.
func memory(n *yaml.Node) {
	if n == nil {
		return
	}
	bytes, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return
	}
	value := strconv.FormatInt(bytes, 10)
	for _, unit := range []string{"K", "M", "G"} {
		if bytes%1024 != 0 {
			break
		}
		bytes /= 1024
		value = strconv.FormatInt(bytes, 10) + unit
	}
	n.Value, n.Tag, n.Style = value, "!!str", 0
}
