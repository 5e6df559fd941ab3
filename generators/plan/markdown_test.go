package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gfm "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"skep.dev/generators/plan"
	"skep.dev/schema"
)

// hostile are texts that mean something in a comment.
var hostile = []string{
	"a | b |\n| opened | everything", "`", "``x`` `", "```\n", "<script>alert(1)</script>", "</details>", "-->", "@everybody", "#1", "[press](https://example.org)",
	"https://example.org", "![x](https://example.org/x.png)", "**a**", "| --- |", "\\|", "$(id)", "a\r\n\r\n# b",
}

// change is an update for a reason, and an opening to a zone.
func change(reason, zone string) plan.Plan {
	return plan.Plan{
		Stacks: []plan.StackChange{{Change: "updated", Stack: "a", Kind: "service", Name: "b", Gap: "none", Why: []plan.Reason{{Key: "image", From: reason, To: reason}}}},
		Firewall: plan.Firewall{Ports: []plan.PortChange{{
			Change: "opened", Zone: zone, Where: plan.Where{Role: "worker", Nodes: []string{"w1"}}, Proto: "tcp", Ports: []schema.PortRange{{First: 80, Last: 80}}, Fields: []string{reason},
		}}},
	}
}

// TestMarkdownHostile renders comments as a forge does: two tables of one row each, and nothing but text in them.
func TestMarkdownHostile(t *testing.T) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	for _, bad := range hostile {
		source := change(bad, bad).Markdown("main:paris--><b>"+bad, 60000)
		if head, _, _ := strings.Cut(source, "\n"); strings.Count(head, "-->") != 1 || strings.Contains(head, "<b>") {
			t.Errorf("%q: %s", bad, head)
		}
		rows, html := 0, 0
		err := ast.Walk(md.Parser().Parse(text.NewReader([]byte(source))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			switch {
			case !entering:
			case n.Kind() == gfm.KindTableRow:
				rows++
				if cells := n.ChildCount(); cells != 2 || n.LastChild().ChildCount() != 1 || n.LastChild().FirstChild().Kind() != ast.KindCodeSpan {
					t.Errorf("%q: a row of %d cells: %s", bad, cells, source)
				}
			case n.Kind() == ast.KindHTMLBlock:
				html++
			case n.Kind() == ast.KindLink, n.Kind() == ast.KindImage, n.Kind() == ast.KindAutoLink, n.Kind() == ast.KindRawHTML, n.Kind() == ast.KindHeading, n.Kind() == ast.KindFencedCodeBlock:
				t.Errorf("%q: %s in %s", bad, n.Kind(), source)
			}
			return ast.WalkContinue, nil
		})
		if err != nil || rows != 2 || html != 1 {
			t.Errorf("%q: %d rows, %d blocks of HTML, %v: %s", bad, rows, html, err, source)
		}
	}
}

// TestMarkdownSize leaves out what is not opened where the text is too long, and never an opening.
func TestMarkdownSize(t *testing.T) {
	const most = 4000
	p := change("a", "users")
	for i := range 1000 {
		p.Stacks = append(p.Stacks, plan.StackChange{Change: "removed", Stack: "s", Kind: "service", Name: fmt.Sprint("x", i)})
	}
	source := p.Markdown("bundle", most)
	for _, want := range []string{"| opened | `80/tcp on worker w1 to users (a)` |", "1001 more changes are left out here", "MANIFEST before"} {
		if !strings.Contains(source, want) {
			t.Errorf("%d bytes lack %q: %s", len(source), want, source)
		}
	}
	if len(source) > most {
		t.Errorf("%d bytes", len(source))
	}
	for i := range 1000 {
		c := p.Firewall.Ports[0]
		c.Ports = []schema.PortRange{{First: uint16(i + 1000), Last: uint16(i + 1000)}}
		p.Firewall.Ports = append(p.Firewall.Ports, c)
	}
	if n := strings.Count(p.Markdown("bundle", most), "\n| opened |"); n != 1001 {
		t.Errorf("%d of 1001 openings", n)
	}
}
