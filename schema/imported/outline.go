// Package imported makes parts of a spec from what is there already: nodes from what the swarm says of them, stacks from
// their Compose files.
package imported

import (
	"strconv"
	"strings"

	"skep.dev/schema/finding"
)

// Part is one field of a stack in the spec: a value, or fields with names of their own.
type Part struct {
	Name  string
	Value string // in the form that CUE and YAML share: ["blog/compose.yaml"]
	Lines []Line
	Open  bool // left to a human: written behind a comment sign
	Why   string
}

// Line is a field of a part, or a comment alone when it has no name.
type Line struct {
	Name, Value string
	Open        bool
	Why         string
}

// isOpen reports whether nothing of a part stands yet.
func (p Part) isOpen() bool {
	for _, l := range p.Lines {
		if !l.Open {
			return false
		}
	}
	return p.Open || p.Value == ""
}

// CUE writes the stacks' fields below stacks, indented.
func CUE(stacks []Stack, indent string) string {
	var b strings.Builder
	for _, s := range stacks {
		label := finding.Label(s.Name)
		if len(s.Parts) == 1 {
			b.WriteString(indent + label + ": " + s.Parts[0].Name + ": " + s.Parts[0].Value + "\n")
			continue
		}
		b.WriteString(indent + label + ": {\n")
		for _, p := range s.Parts {
			p.cue(&b, indent+"\t")
		}
		b.WriteString(indent + "}\n")
	}
	return b.String()
}

func (p Part) cue(b *strings.Builder, indent string) {
	if p.Value != "" {
		b.WriteString(indent + Line{Open: p.Open}.sign("// ") + p.Name + ": " + p.Value + said("// ", p.Why) + "\n")
	}
	for _, l := range p.Lines {
		switch {
		case l.Name == "":
			b.WriteString(indent + "// " + l.Why + "\n")
		default:
			b.WriteString(indent + l.sign("// ") + p.Name + ": " + finding.Label(l.Name) + ": " + l.Value + said("// ", l.Why) + "\n")
		}
	}
}

// YAML writes the same in YAML.
func YAML(stacks []Stack, indent string) string {
	var b strings.Builder
	for _, s := range stacks {
		b.WriteString(indent + finding.Label(s.Name) + ":\n")
		for _, p := range s.Parts {
			p.yaml(&b, indent+"  ")
		}
	}
	return b.String()
}

func (p Part) yaml(b *strings.Builder, indent string) {
	open := p.isOpen()
	if p.Value != "" {
		b.WriteString(indent + Line{Open: open}.sign("# ") + p.Name + ": " + p.Value + said("# ", p.Why) + "\n")
		return
	}
	named := false
	for _, l := range p.Lines {
		if l.Name != "" && !named {
			named = true
			b.WriteString(indent + Line{Open: open}.sign("# ") + p.Name + ":\n")
		}
		switch {
		case l.Name == "":
			b.WriteString(indent + "# " + l.Why + "\n")
		case open:
			b.WriteString(indent + "#   " + finding.Label(l.Name) + ": " + l.Value + said("# ", l.Why) + "\n")
		default:
			b.WriteString(indent + "  " + l.sign("# ") + finding.Label(l.Name) + ": " + l.Value + said("# ", l.Why) + "\n")
		}
	}
}

// sign is that of a comment, before what is left to a human.
func (l Line) sign(sign string) string {
	if l.Open {
		return sign
	}
	return ""
}

func said(sign, why string) string {
	if why == "" {
		return ""
	}
	return " " + sign + why
}

// list is such as ["a", "b"].
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
