package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"skep.dev/generators"
	"skep.dev/generators/review"
	"skep.dev/generators/runbook"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// fullest is the example that names every service.
const fullest = "everything"

// ofExamples are the pages about clusters and their bundles, as the examples have them.
func ofExamples(root string) ([]page, error) {
	c, err := example(root, fullest)
	if err != nil {
		return nil, err
	}
	readme, err := bundleReadme(c)
	if err != nil {
		return nil, err
	}
	steps, err := runbook.Steps(c)
	if err != nil {
		return nil, err
	}
	differs, err := review.Differs(c)
	if err != nil {
		return nil, err
	}
	ports, err := portTables(root)
	if err != nil {
		return nil, err
	}
	specs, err := specTexts(root)
	if err != nil {
		return nil, err
	}
	const as = "\n\nThe README of your own bundle has this for your cluster; here it is for one with every service, [everything](examples.md#everything).\n\n"
	const group = "A cluster"
	return []page{
		{"files", "Files of a bundle", group, "# Files of a bundle" + as + readme["The files"]},
		{"steps", "Steps of the runbook", group, "# Steps of the runbook" + as + stepTexts(steps)},
		{"day-two", "Day two", group, "# Day two" + as + readme["Day two"] + "\n## Who is trusted with what\n\n" + readme["Who is trusted with what"]},
		{"alerts", "When an alert fires", group, "# When an alert fires" + as + readme["When an alert fires"]},
		{"ports", "Ports", group, ports},
		{"examples", "Examples", group, specs},
		{"nuvla", "Nuvla", group, nuvla + readme["Register at Nuvla"] + "\n## What differs from the page, and why\n\n" + differs},
	}, nil
}

const nuvla = `# Nuvla

[Nuvla](https://docs.nuvla.io) deploys containers on clusters of others. A cluster of kind ` + "`target`" + ` is one of these, and one of
kind ` + "`host`" + ` runs Nuvla itself. Who uses neither takes kind ` + "`swarm`" + `, and needs nothing of this page.

## Register a target

`

func example(root, name string) (*schema.Cluster, error) {
	c, _, err := spec.Load(filepath.Join(root, "examples", name))
	return c, err
}

// bundleReadme gives the sections of a bundle's README by their titles.
func bundleReadme(c *schema.Cluster) (map[string]string, error) {
	files, err := generators.Generate(c)
	if err != nil {
		return nil, err
	}
	sections := map[string]string{}
	for _, f := range files {
		if f.Path != "README.md" {
			continue
		}
		for _, section := range strings.Split(string(f.Data), "\n## ")[1:] {
			title, text, _ := strings.Cut(section, "\n\n")
			sections[title] = strings.TrimSpace(text) + "\n"
		}
	}
	return sections, nil
}

func stepTexts(steps []runbook.Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "## %s\n\n%s: %s\n\n", s.ID, s.Title, s.Why)
		row := func(what, text string) {
			if text != "" {
				fmt.Fprintf(&b, "- **%s**: %s\n", what, text)
			}
		}
		row("Number", fmt.Sprint(s.Number))
		row("Hosts", s.Hosts)
		row("After", strings.Join(s.Needs, ", "))
		row("Asks", s.Danger)
		row("Undo", s.Undo)
		b.WriteString("\n")
	}
	return b.String()
}

func portTables(root string) (string, error) {
	text := "# Ports\n\nEverything else is dropped. `skep reach` shows it for your spec, and what becomes of one packet.\n"
	for _, name := range []string{"target", "host", "production"} {
		c, err := example(root, name)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("\n## A cluster of kind %s, as the example %s compiles it\n\n%s", c.Kind, name, review.Matrix(c))
	}
	return text, nil
}

// specTexts shows the specs of the examples.
func specTexts(root string) (string, error) {
	text := "# Examples\n\n`skep init --from NAME` begins with one of these.\n"
	found, err := filepath.Glob(filepath.Join(root, "examples", "*", "cluster.*"))
	if err != nil {
		return "", err
	}
	for _, file := range found {
		name := filepath.Base(filepath.Dir(file))
		language := strings.TrimPrefix(filepath.Ext(file), ".")
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if name != "lab" && language != "sh" {
			text += fmt.Sprintf("\n## %s\n\n```%s\n%s```\n", name, language, b)
		}
	}
	return text, nil
}
