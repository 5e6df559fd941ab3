package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"skep.dev/schema/finding"
)

// A place is where something stands in a file; line and column are 0 where it is the whole file.
type place struct {
	file         string
	line, column int
}

type kind int

const (
	scalar kind = iota
	list
	mapping
)

// A node is a part of a Compose file, with its anchors and merge keys resolved.
type node struct {
	kind    kind
	tag     string // !reset, !override or none
	text    string // of a scalar
	bare    bool   // whether the scalar is a number, a boolean or null: no text
	entries []entry
	items   []*node
	at      place
}

type entry struct {
	key   string
	value *node
	at    place  // of the key
	head  string // the comment above it
}

// get gives the value of a key, or nil.
func (n *node) get(key string) *node {
	if e := n.entry(key); e != nil {
		return e.value
	}
	return nil
}

func (n *node) entry(key string) *entry {
	if n == nil {
		return nil
	}
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// size is the number of nodes of a tree.
func (n *node) size() int {
	size := 1
	for _, e := range n.entries {
		size += e.value.size()
	}
	for _, item := range n.items {
		size += item.size()
	}
	return size
}

// copy is a tree of its own.
func (n *node) copy() *node {
	c := *n
	c.entries, c.items = nil, nil
	for _, e := range n.entries {
		e.value = e.value.copy()
		c.entries = append(c.entries, e)
	}
	for _, item := range n.items {
		c.items = append(c.items, item.copy())
	}
	return &c
}

// parse gives the one document of a Compose file, or nil and a finding.
func (r *reader) parse(name string, text []byte) *node {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var top, second yaml.Node
	if err := decoder.Decode(&top); err != nil {
		if errors.Is(err, io.EOF) {
			r.say(finding.NoComposeFile, place{name, 1, 1}, "", "", "has nothing in it but comments: write the stack's services, or leave the file out of compose")
			return nil
		}
		r.syntax(name, text, err)
		return nil
	}
	b := &builder{reader: r, file: name, open: map[*yaml.Node]bool{}}
	if !utf8.Valid(text) || bytes.IndexFunc(text, func(c rune) bool { return c >= utf8.RuneSelf }) >= 0 {
		b.lines = strings.Split(string(text), "\n")
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.say(finding.AmbiguousYAML, b.place(&second), "", "", "a second document begins here: keep one in each file, and name both files in compose")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(name, text, err)
		return nil
	}
	root := b.node(top.Content[0], nil)
	if root == nil {
		return nil
	}
	if root.kind != mapping {
		r.say(finding.ComposeRule, root.at, "", "", "want keys such as services: at the top of a Compose file")
		return nil
	}
	return root
}

// builder makes nodes of YAML's.
type builder struct {
	reader *reader
	file   string
	lines  []string // where columns of letters are not those of bytes
	open   map[*yaml.Node]bool
}

func (b *builder) place(n *yaml.Node) place {
	at := place{b.file, n.Line, n.Column}
	if n.Line >= 1 && n.Line <= len(b.lines) {
		letters := []rune(b.lines[n.Line-1])
		at.column = len(string(letters[:min(n.Column-1, len(letters))])) + 1
	}
	return at
}

func (b *builder) say(id finding.ID, n *yaml.Node, path []string, text string) {
	b.reader.say(id, b.place(n), dotted(path), "", text)
}

// node gives nil after a finding.
func (b *builder) node(n *yaml.Node, path []string) *node {
	if b.reader.nodes--; b.reader.nodes < 0 {
		if b.reader.nodes == -1 {
			b.say(finding.TooBig, n, nil, fmt.Sprintf("with its anchors written out, the stack has more than %d values: split it", b.reader.most))
		}
		return nil
	}
	if len(path) > maxDepth {
		b.say(finding.TooBig, n, path[:1], fmt.Sprintf("is nested more than %d deep", maxDepth))
		return nil
	}
	if b.open[n] {
		b.say(finding.Cycle, n, path, "the anchor &"+n.Anchor+" holds itself: write out what is meant")
		return nil
	}
	b.open[n] = true
	defer delete(b.open, n)
	out := &node{at: b.place(n)}
	switch n.Kind {
	case yaml.AliasNode:
		return b.node(n.Alias, path)
	case yaml.ScalarNode:
		return b.scalar(out, n, path)
	case yaml.SequenceNode:
		out.kind = list
		if len(n.Content) > maxItems {
			b.say(finding.TooBig, n, path, fmt.Sprintf("has %d items, more than %d", len(n.Content), maxItems))
			return nil
		}
		for i, item := range n.Content {
			v := b.node(item, append(path[:len(path):len(path)], fmt.Sprint(i)))
			if v == nil {
				return nil
			}
			out.items = append(out.items, v)
		}
	case yaml.MappingNode:
		out.kind = mapping
		if !b.entries(out, n, path) {
			return nil
		}
	default:
		b.say(finding.Syntax, n, path, "not YAML that a Compose file can hold")
		return nil
	}
	return b.tagged(out, n, path)
}

// tagged notes the tags that Compose knows. Others mean something to one program alone.
func (b *builder) tagged(out *node, n *yaml.Node, path []string) *node {
	switch n.Tag {
	case "!reset", "!override":
		out.tag = n.Tag
	case "", "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge":
	default:
		b.reader.say(finding.AmbiguousYAML, b.place(n), dotted(path), n.Tag, "Compose knows the tags !reset and !override: remove it")
		return nil
	}
	return out
}

func (b *builder) scalar(out *node, n *yaml.Node, path []string) *node {
	if len(n.Value) > maxText {
		b.say(finding.TooBig, n, path, fmt.Sprintf("has %d KiB, more than the %d KiB that a value may have: put the text into a file, and name it below configs:", len(n.Value)>>10, maxText>>10))
		return nil
	}
	out.text = n.Value
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
		out.bare = !quoted
	}
	return b.tagged(out, n, path)
}

// entries fills a mapping: its own keys, then those it merges, the earlier first.
func (b *builder) entries(out *node, n *yaml.Node, path []string) bool {
	if len(n.Content) > 2*maxItems {
		b.say(finding.TooBig, n, path, fmt.Sprintf("has %d keys, more than %d", len(n.Content)/2, maxItems))
		return false
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode || len(key.Value) > maxKey:
			b.say(finding.Syntax, n.Content[i], path, fmt.Sprintf("want a name of at most %d letters before the colon", maxKey))
			return false
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
			continue
		}
		at := append(path[:len(path):len(path)], key.Value)
		if before := out.entry(key.Value); before != nil {
			b.say(finding.AmbiguousYAML, key, at, fmt.Sprintf("stands twice, the first time in line %d: write it once", before.at.line))
			return false
		}
		v := b.node(value, at)
		if v == nil {
			return false
		}
		out.entries = append(out.entries, entry{key.Value, v, b.place(n.Content[i]), comment(n.Content[i].HeadComment)})
	}
	for _, value := range merged {
		if !b.merge(out, value, path) {
			return false
		}
	}
	return true
}

// merge adds the entries that << names and the mapping does not have itself.
func (b *builder) merge(out *node, value *yaml.Node, path []string) bool {
	v := b.node(value, path)
	if v == nil {
		return false
	}
	sources := []*node{v}
	if v.kind == list {
		sources = v.items
	}
	for _, s := range sources {
		if s.kind != mapping {
			b.say(finding.ComposeRule, value, path, "<< wants a mapping, such as *name")
			return false
		}
		for _, e := range s.entries {
			if out.entry(e.key) == nil {
				out.entries = append(out.entries, e)
			}
		}
		if len(out.entries) > maxItems {
			b.say(finding.TooBig, value, path, fmt.Sprintf("has more than %d keys with those it merges", maxItems))
			return false
		}
	}
	return true
}

// comment takes the # off each line; what stands above an empty line belongs to nothing in particular.
func comment(head string) string {
	if i := strings.LastIndex(head, "\n\n"); i >= 0 {
		head = head[i+2:]
	}
	var lines []string
	for line := range strings.Lines(head) {
		lines = append(lines, strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
