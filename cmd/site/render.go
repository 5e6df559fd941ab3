package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

//go:embed page.html site.css site.js
var static embed.FS

// entry is a part of a page that the search finds. It is in a script of its own: a page that was opened from disk may load
// scripts, but read no files.
type entry struct {
	Page    string `json:"page"`
	To      string `json:"to"`
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// view is what the template of a page shows.
type view struct {
	Title  string
	Name   string
	Body   template.HTML
	Groups []group
}

type group struct {
	Title string
	Pages []listed
}

type listed struct {
	Name, Title string
	Here        bool
}

// render gives the files of the site: each page in two forms, what they share, and what is searched.
func render(pages []page) (map[string][]byte, error) {
	t, err := template.ParseFS(static, "page.html")
	if err != nil {
		return nil, err
	}
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	files := map[string][]byte{}
	var entries []entry
	for _, p := range pages {
		source := []byte(p.text)
		tree := markdown.Parser().Parse(text.NewReader(source))
		for _, l := range linksOf(tree) {
			if !bytes.Contains(l.Destination, []byte("://")) { // from one page in Markdown to another
				l.Destination = bytes.Replace(l.Destination, []byte(".md"), []byte(".html"), 1)
			}
		}
		var body, whole bytes.Buffer
		if err := markdown.Renderer().Render(&body, source, tree); err != nil {
			return nil, err
		}
		// A wide table scrolls by itself, so that the page does not.
		shown := strings.NewReplacer("<table>", `<div class="wide"><table>`, "</table>", "</table></div>").Replace(body.String())
		if err := t.Execute(&whole, view{p.title, p.name, template.HTML(shown), list(pages, p)}); err != nil {
			return nil, err
		}
		files[p.name+".html"], files[p.name+".md"] = whole.Bytes(), source
		entries = append(entries, parts(p, tree, source)...)
	}
	index, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	files["search.js"] = slices.Concat([]byte("const entries = "), index, []byte(";\n"))
	for _, name := range []string{"site.css", "site.js"} {
		if files[name], err = static.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func linksOf(n ast.Node) []*ast.Link {
	if l, ok := n.(*ast.Link); ok {
		return []*ast.Link{l}
	}
	var out []*ast.Link
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		out = append(out, linksOf(child)...)
	}
	return out
}

// list is the list of pages, as one page shows it.
func list(pages []page, here page) []group {
	var out []group
	for _, title := range groups {
		g := group{Title: title}
		for _, p := range pages {
			if p.group == title {
				g.Pages = append(g.Pages, listed{p.name, p.title, p.name == here.name})
			}
		}
		out = append(out, g)
	}
	return out
}

// parts cuts a page at its headings.
func parts(p page, tree ast.Node, source []byte) []entry {
	var out []entry
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		words := strings.Join(strings.Fields(plain(n, source)), " ")
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			anchor, _ := id.([]byte)
			out = append(out, entry{Page: p.title, To: p.name + ".html#" + string(anchor), Heading: words})
			continue
		}
		if len(out) > 0 {
			last := &out[len(out)-1]
			last.Text = strings.TrimSpace(last.Text + " " + words)
		}
	}
	return out
}

// plain is the text below a node, without markup.
func plain(n ast.Node, source []byte) string {
	switch n := n.(type) {
	case *ast.Text:
		if n.SoftLineBreak() || n.NextSibling() == nil {
			return string(n.Value(source)) + " "
		}
		return string(n.Value(source))
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		return string(n.Lines().Value(source))
	}
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		b.WriteString(plain(child, source))
	}
	return b.String()
}
