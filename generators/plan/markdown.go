package plan

import (
	"fmt"
	"regexp"
	"strings"
)

// Markdown is the plan as a comment beside a change: by a mark in its first line a pipeline finds the comment of the last
// plan, and edits it. Most is how many bytes a comment may have. What is opened is told whole, whatever it takes; the files go first,
// then the rest becomes counts, and a line says what was left out. What bundles say stands in code, where nothing is a link, a
// name of somebody, or the end of the table.
func (p Plan) Markdown(name string, most int) string {
	opens, rest := p.sorted()
	parts := []func(level int) string{
		func(int) string { return mark(name) + p.verdict(name) + "\n" },
		func(int) string { return section("Opens", opens) },
		func(level int) string {
			if level >= short && len(rest) > 0 {
				return fmt.Sprintf("\n%s left out here, for a comment may not be longer: `skep plan` tells them.\n", count(len(rest), "more change is", "more changes are"))
			}
			return section("Changes", rest)
		},
		func(level int) string {
			if level >= short {
				return ""
			}
			return section("Steps", p.stepLines())
		},
		func(level int) string { return p.details(level) },
		func(int) string { return p.digests() },
	}
	var text string
	for _, level := range []int{whole, counted, short} {
		text = ""
		for _, part := range parts {
			text += part(level)
		}
		if len(text) <= most {
			break
		}
	}
	return text
}

// How much a comment tells.
const (
	whole   = iota
	counted // no file by its name
	short   // nothing but what is opened
)

// sorted divides the lines of the plan: what lets somebody in, and the others.
func (p Plan) sorted() (opens, rest []string) {
	for _, line := range p.changes() {
		change, _, _ := strings.Cut(line, " ")
		if change == "opened" || change == added && strings.Contains(line, " to zone ") {
			opens = append(opens, line)
		} else {
			rest = append(rest, line)
		}
	}
	return opens, rest
}

// unmarked is what a mark leaves out: it must not end before its end.
var unmarked = regexp.MustCompile(`[^A-Za-z0-9._/:]+`)

// mark is what a pipeline looks for in the first line of comments.
func mark(name string) string {
	return fmt.Sprintf("<!-- skep plan %s -->\n", unmarked.ReplaceAllString(name, "_"))
}

// verdict is the plan in one line.
func (p Plan) verdict(name string) string {
	if p.Empty() {
		return fmt.Sprintf("**%s: nothing changes**", code(name))
	}
	opens, _ := p.sorted()
	closed, restarts, outages, empty := 0, 0, 0, 0
	for _, c := range p.Firewall.Ports {
		if c.Change == "closed" {
			closed++
		}
	}
	for _, c := range p.Stacks {
		switch {
		case c.Change == data:
			empty++
		case c.Change == restarted, c.Change == updated, c.Change == remade:
			restarts++
		}
		if c.Gap == "service" {
			outages++
		}
	}
	engines := 0
	for _, c := range p.Engines {
		if c.Change == "restarts" {
			engines += len(c.Nodes)
		}
	}
	words := []string{fmt.Sprintf("%d opened", len(opens)), fmt.Sprintf("%d closed", closed)}
	if restarts > 0 {
		words = append(words, count(restarts, "service gets new tasks", "services get new tasks"))
	}
	if outages > 0 {
		words = append(words, count(outages, "of them is down meanwhile", "of them are down meanwhile"))
	}
	if engines > 0 {
		words = append(words, "Docker restarts on "+count(engines, "node", "nodes"))
	}
	if empty > 0 {
		words = append(words, count(empty, "volume begins empty", "volumes begin empty"))
	}
	return fmt.Sprintf("**%s: %s**", code(name), strings.Join(words, ", "))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// section is a table of lines, each after its first word.
func section(title string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %s | |\n| --- | --- |\n", title)
	for _, line := range lines {
		change, what, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, "| %s | %s |\n", change, strings.ReplaceAll(code(what), "|", `\|`))
	}
	return b.String()
}

// details are the files that differ, folded.
func (p Plan) details(level int) string {
	if len(p.Files) == 0 {
		return ""
	}
	summary := count(len(p.Files), "file of the bundle differs", "files of the bundle differ")
	if level > whole {
		return "\n" + summary + "; their names are left out here.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n\n", summary)
	for _, f := range p.Files {
		fmt.Fprintf(&b, "- %s %s\n", f.Change, code(f.File))
	}
	return b.String() + "\n</details>\n"
}

// digests say which bundles were compared: the second is what runbook.sh applies.
func (p Plan) digests() string {
	return fmt.Sprintf("\nMANIFEST before `%s`, after `%s`\n", p.old.digest(), p.Planned())
}

// fence is a run of backquotes.
var fence = regexp.MustCompile("`+")

// code is a text in which nothing is Markdown: its quotes are longer than any in it.
func code(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	longest := 0
	for _, run := range fence.FindAllString(text, -1) {
		longest = max(longest, len(run))
	}
	quote := strings.Repeat("`", longest+1)
	if longest > 0 || text == "" {
		text = " " + text + " "
	}
	return quote + text + quote
}
