package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// site is the whole site, written once.
func site(t *testing.T) (dir string, files map[string]string) {
	t.Helper()
	dir = t.TempDir()
	if err := write("../..", dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return dir, files
}

// It opens from disk: every link leads to a file beside it, and to a place that is there; nothing comes from elsewhere.
func TestSite(t *testing.T) {
	_, files := site(t)
	reference := regexp.MustCompile(`(href|src)="([^"]*)"`)
	inMarkdown := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	to := func(from, link string) {
		name, anchor, _ := strings.Cut(link, "#")
		if name == "" {
			name = from
		}
		text, ok := files[name]
		switch {
		case !ok:
			t.Errorf("%s: %s is not there", from, link)
		case anchor != "" && strings.HasSuffix(name, ".html") && !strings.Contains(text, `id="`+anchor+`"`):
			t.Errorf("%s: nothing in %s is called %s", from, name, anchor)
		}
	}
	links := 0
	for name, text := range files {
		switch filepath.Ext(name) {
		case ".html":
			for _, m := range reference.FindAllStringSubmatch(text, -1) {
				if strings.Contains(m[2], "://") {
					if m[1] == "src" {
						t.Errorf("%s loads %s", name, m[2])
					}
					continue
				}
				links++
				to(name, m[2])
			}
		case ".md":
			for _, m := range inMarkdown.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "#") && strings.Contains(m[1], ".") && !strings.Contains(m[1], "`") {
					to(name, m[1])
				}
			}
		}
	}
	if links < 500 {
		t.Errorf("only %d links", links)
	}
	for _, m := range regexp.MustCompile(`"to":"([^"]*)"`).FindAllStringSubmatch(files["search.js"], -1) {
		to("search.js", m[1])
	}
}

// What the command knows has its place on a page: every field, every finding, every verb.
func TestSiteIsWhole(t *testing.T) {
	_, files := site(t)
	for _, k := range finding.Kinds() {
		if !strings.Contains(files["findings.html"], `id="`+string(k.ID)+`"`) {
			t.Errorf("findings.html does not have %s", k.ID)
		}
	}
	for _, name := range written.NewSchema().Root.Shown() {
		if !written.IsDerived(name) && !strings.Contains(files["fields.md"], "\n## "+name+"\n") {
			t.Errorf("fields.md does not have %s", name)
		}
	}
	for _, path := range []string{"nodes.*.address", "services.nfs.path", "services.traefik.certificate.acme.email", "exposures.*.from"} {
		if !strings.Contains(files["fields.md"], "\n### "+path+"\n") {
			t.Errorf("fields.md does not have %s", path)
		}
	}
	for _, name := range []string{"skep-init.html", "skep-reach.md", "steps.html", "nuvla.html"} {
		if files[name] == "" {
			t.Errorf("%s is not there", name)
		}
	}
	if !strings.Contains(files["nuvla.md"], "| 4789 open |") {
		t.Error("nuvla.md does not tell what differs")
	}
}

// The README is for a reader who has five minutes.
func TestReadmeIsShort(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(b), "\n"); lines >= 200 {
		t.Errorf("README.md has %d lines, want less than 200", lines)
	}
	for _, m := range link.FindAllStringSubmatch(string(b), -1) {
		if to := m[3]; to != "" && !strings.Contains(to, "://") {
			if _, err := os.Stat(filepath.Join("../..", to)); err != nil {
				t.Error(err)
			}
		}
	}
}
