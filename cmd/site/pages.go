package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// page is one page of the site.
type page struct {
	name  string // of its files, without the ending
	title string // in the list of pages
	group string // of the list
	text  string // Markdown
}

// pictures are shown on pages; they go into the site beside them.
var pictures = []string{"cmd/site/bundle.svg"}

// prose is written by hand, where what it describes is.
var prose = []struct{ file, name, title, group string }{
	{"README.md", "index", "skep", "Start"},
	{"cmd/skep/install.md", "install", "Install and upgrade", "Start"},
	{"generators/runbook/first-run.md", "first-run", "The first run", "Start"},
	{"examples/lab/README.md", "lab", "The lab", "Start"},
	{"CONTRIBUTING.md", "contributing", "Contributing", "Project"},
	{"SECURITY.md", "security", "Security", "Project"},
	{"CHANGELOG.md", "changelog", "Changelog", "Project"},
}

// groups of the list of pages, in order.
var groups = []string{"Start", "A cluster", "Reference", "Verbs", "Project"}

// all gives the pages, those of a group in order.
func all(root string) ([]page, error) {
	var pages []page
	for _, p := range prose {
		text, err := os.ReadFile(filepath.Join(root, p.file))
		if err != nil {
			return nil, err
		}
		pages = append(pages, page{p.name, p.title, p.group, string(text)})
	}
	for _, more := range []func(string) ([]page, error){ofExamples, ofSchema, ofCommand} {
		made, err := more(root)
		if err != nil {
			return nil, err
		}
		pages = append(pages, made...)
	}
	for i := range pages {
		pages[i].text = relink(pages, pages[i].text)
	}
	return pages, nil
}

// link is a link or picture of Markdown: what is shown, and where it leads.
var link = regexp.MustCompile(`(!?)\[([^\]]+)\]\(([^)\s#]*)(#[^)]*)?\)`)

// relink makes links between files of the repository lead to their pages. What has no page is named, without a link.
func relink(pages []page, text string) string {
	known := map[string]string{}
	for _, p := range prose {
		known[p.file] = p.name + ".md"
		known["../../"+p.file] = p.name + ".md"
	}
	for _, p := range pages {
		known[p.name+".md"] = p.name + ".md"
	}
	for _, picture := range pictures {
		known[picture] = filepath.Base(picture)
	}
	return link.ReplaceAllStringFunc(text, func(whole string) string {
		m := link.FindStringSubmatch(whole)
		picture, shown, to, anchor := m[1], m[2], m[3], m[4]
		switch {
		case strings.Contains(to, "://"), to == "" && anchor != "":
			return whole
		case known[to] != "":
			return picture + "[" + shown + "](" + known[to] + anchor + ")"
		}
		return shown
	})
}
