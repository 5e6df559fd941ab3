package spec

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/encoding/yaml"
	nodes "go.yaml.in/yaml/v3"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/mistakes"
	"skep.dev/schema/written"
)

// yamlTree reads a YAML spec as CUE does.
func yamlTree(file string, b []byte) (*ast.File, error) {
	tree, err := yaml.Extract(file, b)
	if err != nil {
		return nil, yamlMistakes(file, b, err)
	}
	return tree, oneDocument(file, tree)
}

// oneDocument refuses what CUE would read as a list: several documents in a stream.
func oneDocument(file string, tree *ast.File) error {
	for _, d := range tree.Decls {
		e, ok := d.(*ast.EmbedDecl)
		if !ok {
			continue
		}
		if _, ok := e.Expr.(*ast.ListLit); ok {
			return &InputError{Path: file, Text: "is a list, or a stream of several documents; want the fields of one cluster"}
		}
	}
	return nil
}

// yamlMistakes reads the place from the text of a parser's error: "spec.yaml:3: did not find expected ',' or ']'".
func yamlMistakes(file string, b []byte, err error) finding.List {
	text := strings.TrimPrefix(written.OneLine(err.Error()), file+":")
	m := finding.Finding{ID: finding.Syntax, Level: finding.Mistake, File: file, Line: 1, Column: 1}
	if number, rest, ok := strings.Cut(text, ":"); ok {
		if n, err := strconv.Atoi(number); err == nil {
			m.Line, text = n, rest
		}
	}
	m.Text = "invalid YAML: " + strings.TrimSpace(text)
	lines := bytes.SplitAfter(b, []byte("\n"))
	return finding.List{mistakes.InYAML(string(b), m, func(n int) bool {
		_, err := yaml.Extract(file, bytes.Join(lines[:min(n, len(lines))], nil))
		return err == nil
	})}
}

// misread finds what is valid in a spec of data and read in more than one way: numbers that are octal to some readers of
// YAML, tags, and fields that stand twice, of which most readers take the last.
func misread(file string, b []byte) finding.List {
	m := misreader{file: file}
	var top nodes.Node
	if err := nodes.Unmarshal(b, &top); err == nil && len(top.Content) == 1 {
		m.node(nil, top.Content[0])
	}
	return m.found
}

type misreader struct {
	file   string
	schema *written.Schema // made when first asked for
	found  finding.List
}

func (m *misreader) add(path []string, n *nodes.Node, rule string) {
	m.found = append(m.found, finding.Finding{ID: finding.AmbiguousYAML, Level: finding.Mistake, File: m.file, Line: n.Line, Column: n.Column, Path: schema.JoinPath(bare(path)...), Text: rule})
}

// node looks at a value and all below it. Aliases are looked at where their anchor stands.
func (m *misreader) node(path []string, n *nodes.Node) {
	if n.Style&nodes.TaggedStyle != 0 && !strings.HasPrefix(n.Tag, "!!") {
		m.add(path, n, "has the tag "+written.Quoted(n.Tag)+", which nothing here gives a meaning; remove it")
	}
	switch n.Kind {
	case nodes.ScalarNode:
		m.scalar(path, n)
	case nodes.SequenceNode:
		for i, element := range n.Content {
			m.node(append(slices.Clone(path), strconv.Itoa(i)), element)
		}
	case nodes.MappingNode:
		seen := map[string]*nodes.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			next := append(slices.Clone(path), key.Value)
			if key.Kind == nodes.ScalarNode && key.Style == 0 && oddNumber.MatchString(key.Value) {
				m.add(next, key, fmt.Sprintf("is a number, and not one to all readers of YAML; write %q in quotes", key.Value))
			}
			if first := seen[key.Value]; first != nil {
				m.add(next, key, fmt.Sprintf("is set twice, first in line %d; write it once", first.Line))
			}
			seen[key.Value] = key
			if key.Tag == "!!merge" {
				next = path
			}
			m.node(next, value)
		}
	}
}

// oddNumber is a whole number that YAML 1.1 and 1.2, or readers of one of them, take differently: 022, 0o22, 0b1, 2_222.
var oddNumber = regexp.MustCompile(`^[-+]?(0[0-9_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*_[0-9_]*)$`)

func (m *misreader) scalar(path []string, n *nodes.Node) {
	if n.Kind != nodes.ScalarNode || n.Style&^nodes.FlowStyle != 0 || !oddNumber.MatchString(n.Value) {
		return
	}
	m.found = append(m.found, finding.Finding{ID: finding.AmbiguousYAML, Level: finding.Mistake, File: m.file, Line: n.Line, Column: n.Column, Path: schema.JoinPath(bare(path)...), Got: n.Value, Text: m.decimal(path, n.Value)})
}

// decimal says how to write a number that has no more than one meaning.
func (m *misreader) decimal(path []string, text string) string {
	if m.schema == nil {
		m.schema = written.NewSchema()
	}
	plain := strings.TrimLeft(strings.ReplaceAll(text, "_", ""), "+")
	rule := "is not one number to all readers of YAML; "
	if !strings.HasPrefix(plain, "0b") && !strings.HasPrefix(plain, "0o") && strings.HasPrefix(plain, "0") {
		rule = "is octal to some readers of YAML, and not to others; "
		plain = cmp.Or(strings.TrimLeft(plain, "0"), "0") // what most people mean who write zeros first
	}
	number, ok := new(big.Int).SetString(plain, 0)
	s, depth := m.schema.Root.Find(bare(path))
	if !ok || depth == len(bare(path)) && written.IsText(m.schema.Kind(s)) {
		return rule + fmt.Sprintf("write %q in quotes", text)
	}
	return rule + "write " + number.String()
}

// bare gives a path below the field "cluster", which a spec may have or not.
func bare(path []string) []string {
	if len(path) > 0 && path[0] == "cluster" {
		return path[1:]
	}
	return path
}
