package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// ofSchema are the pages about the fields of a spec and the findings.
func ofSchema(string) ([]page, error) {
	return []page{
		{"fields", "Fields of a spec", "Reference", fields()},
		{"findings", "Findings", "Reference", findings()},
	}, nil
}

// fields tells about every field that a spec may set.
func fields() string {
	var b strings.Builder
	b.WriteString("# Fields of a spec\n\n`skep explain FIELD` says the same in a terminal. `*` is a name of your choice.\n")
	s := written.NewSchema()
	for _, name := range s.Root.Shown() {
		if !written.IsDerived(name) {
			describe(&b, s, []string{name}, s.Root.Fields[name])
		}
	}
	return b.String()
}

// describe tells about a field, then about those in it.
func describe(b *strings.Builder, s *written.Schema, path []string, t *written.Field) {
	mark := "###"
	if len(path) == 1 {
		mark = "##"
	}
	fmt.Fprintf(b, "\n%s %s\n\n", mark, schema.JoinPath(path...))
	if doc := s.Comment(t); doc != "" {
		b.WriteString(escape(doc) + "\n\n")
	}
	row := func(what, text string) {
		if text != "" {
			fmt.Fprintf(b, "- %s: %s\n", what, text)
		}
	}
	row("type", escape(s.Kind(t)))
	fact, isFact := s.Fact(t)
	switch standing := s.Standing(path, t); {
	case isFact:
		row("always", "`"+fact+"`")
	case s.DefaultText(t) == written.Computed:
		row("default", written.Computed)
	case s.DefaultText(t) != "":
		row("default", "`"+s.DefaultText(t)+"`")
	default:
		row("set", standing)
	}
	row("rule", escape(s.Rule(t)))
	if example := s.ExampleLine(path, t); example != "" && !isFact {
		row("example", "`"+example+"`")
	}
	inner := t
	if len(t.Shown()) == 0 && t.Each != nil && len(t.Each.Shown()) > 0 {
		inner, path = t.Each, append(path[:len(path):len(path)], "*")
	}
	for _, name := range inner.Shown() {
		describe(b, s, append(path[:len(path):len(path)], name), inner.Fields[name])
	}
}

// escape keeps Markdown from reading text as markup.
func escape(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`).Replace(text)
}

func findings() string {
	var b strings.Builder
	b.WriteString("# Findings\n\nWhat `skep vet` tells: each has an ID, which `skep explain ID` takes, too.\n")
	heads := map[finding.Level]string{
		finding.Mistake: "## Mistakes\n\nThere is no bundle until they are fixed.",
		finding.Warning: "## Warnings\n\nThe spec is right, but may not be what you want. `--strict` makes `vet` exit 1.",
	}
	for _, k := range finding.Kinds() {
		if head := heads[k.Level]; head != "" {
			b.WriteString("\n" + head + "\n")
			delete(heads, k.Level)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s. %s\n\n%s\n", k.ID, strings.ToUpper(k.Title[:1])+escape(k.Title[1:]), escape(k.Why), escape(k.Way))
	}
	return b.String()
}

// ofCommand are the pages about skep's verbs: the command writes them itself.
func ofCommand(root string) ([]page, error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	command := exec.Command("go", "run", "./cmd/skep", "man", "--markdown", dir)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "skep*.md"))
	if err != nil {
		return nil, err
	}
	var pages []page
	for _, file := range found {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		// What a page begins with is its title.
		text := strings.TrimPrefix(strings.ReplaceAll(string(b), "\n### ", "\n## "), "#")
		pages = append(pages, page{name, strings.ReplaceAll(name, "-", " "), "Verbs", text})
	}
	return pages, nil
}
