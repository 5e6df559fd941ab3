package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"skep.dev/examples"
	"skep.dev/schema/imported"
	"skep.dev/schema/jsonschema"
)

// The spec that init writes, in two languages.
//
//go:embed init.cue.tmpl init.yaml.tmpl
var firstSpecs embed.FS

// first is what the template of the first spec asks about.
type first struct {
	Name, Kind, Purpose string
	Driven              bool   // by Nuvla, which has a zone of its own then
	Manager, Last       string // of the nodes
	Imported            bool   // from what is there: the rest is empty without
	Nodes, Engine       string
	Stacks              string
	Routed              bool // by Traefik
	Public, Replaced    string
	Names               string // of pages
	yaml                bool
}

func kinds() []string { return []string{"swarm", "target", "host"} }

// firstOf is the first spec of a kind, with examples of nodes.
func firstOf(name string, o initOptions) first {
	return first{Name: name, Kind: o.kind, Purpose: map[string]string{
		"swarm":  "A swarm for services of your own.",
		"target": `"target": Nuvla deploys the containers of users here. "host": Nuvla itself runs here. "swarm": neither.`,
		"host":   `"host": Nuvla itself runs here. "target": Nuvla deploys the containers of users here. "swarm": neither.`,
	}[o.kind], Driven: o.kind == "target", yaml: o.yaml, Manager: "m1", Last: "w1"}
}

// takeNodes puts the nodes of a swarm in the place of the examples.
func (f *first) takeNodes(nodes imported.Nodes) {
	if len(nodes.List) == 0 {
		return
	}
	f.Nodes, f.Engine = nodes.Text("\t\t", "//"), nodes.Engine
	if f.yaml {
		f.Nodes = nodes.Text("  ", "#")
	}
	f.Manager = nodes.List[slices.IndexFunc(nodes.List, func(n imported.Node) bool { return n.IsManager })].Name
	f.Last = nodes.List[len(nodes.List)-1].Name
}

// takeStacks adds the users' applications.
func (f *first) takeStacks(stacks imported.Stacks) {
	f.Stacks = imported.CUE(stacks.List, "\t\t")
	if f.yaml {
		f.Stacks = imported.YAML(stacks.List, "  ")
	}
	f.Routed, f.Public = stacks.IsRouted, stacks.Public
	if len(stacks.Names) > 0 {
		f.Names = `["` + strings.Join(stacks.Names, `", "`) + `"]`
	}
	var replaced []string
	for _, s := range stacks.Replaced {
		replaced = append(replaced, s.Files...)
	}
	f.Replaced = strings.Join(replaced, ", ")
}

// firstSpec is the spec that init writes.
func firstSpec(f first) (map[string][]byte, error) {
	file := "cluster.cue"
	if f.yaml {
		file = "cluster.yaml"
	}
	t, err := template.ParseFS(firstSpecs, "init"+path.Ext(file)+".tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return nil, err
	}
	return map[string][]byte{file: b.Bytes()}, nil
}

// withJSONSchema puts the schema beside a spec in YAML, which names it for editors in its first line.
func withJSONSchema(files map[string][]byte, spec string) error {
	text, err := jsonschema.Text()
	files[jsonschema.FileName] = text
	files[spec] = append([]byte("# yaml-language-server: $schema=./"+jsonschema.FileName+"\n"), files[spec]...)
	return err
}

// exampleNames are the examples that a spec can begin with.
func exampleNames() []string {
	entries, _ := fs.ReadDir(examples.Specs, ".")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

var nameField = regexp.MustCompile(`(?m)^(\s*name:\s+)"?[a-z0-9-]+"?$`)

// example is the spec of an example, under another name.
func example(from, name string) (map[string][]byte, error) {
	dir, err := fs.Sub(examples.Specs, from)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = fs.WalkDir(dir, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, file)
		if at := nameField.FindSubmatchIndex(b); at != nil && strings.HasPrefix(file, "cluster.") {
			b = fmt.Appendf(bytes.Clone(b[:at[3]]), "%q%s", name, b[at[1]:])
		}
		files[file] = b
		return err
	})
	return files, err
}
