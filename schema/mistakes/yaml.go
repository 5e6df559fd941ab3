package mistakes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// habitsYAML are what people write in YAML who think of another language, the surest sign first. They see texts in quotes as
// blanks.
var habitsYAML = []habit{
	{regexp.MustCompile(`^ *(\t)`), always("a tab: YAML indents with spaces")},
	{regexp.MustCompile(`([“”„‘’])`), always(`want plain quotes: "`)},
	{regexp.MustCompile(`^\s*(//)`), always("a comment begins with #")},
	{regexp.MustCompile(`^(package) \w+`), always("is CUE: name the file .cue")},
	{regexp.MustCompile(`(\{\{.*\}\})`), always("skep fills in no templates, so write the value")},
	{regexp.MustCompile(`(\$\{[^}]*\}?)`), func(text, _ string) string {
		return text + " is not a variable here: skep fills in none, so write the value"
	}},
	{regexp.MustCompile(`:\s*\[?\s*(\*)\s*\]?\s*$`), always(`* needs quotes, and is not the world: that is ["0.0.0.0/0", "::/0"]`)},
	{regexp.MustCompile(`[\[,]\s*(::[0-9a-fA-F:]*(?:/[0-9]+)?)`), quoted},
	{regexp.MustCompile("(?::|-)\\s+([@`%][^\\s,\\]}]*)"), quoted},
	{regexp.MustCompile(`^\s*(-)[^\s-]`), always("want a space after -")},
	{regexp.MustCompile(`^\s*[\w-]+ (=)`), always("want ':' instead of '='")},
	{regexp.MustCompile(`^\s*[\w-]+(:)[^\s:]`), always("want a space after ':'")},
	{regexp.MustCompile(`^\s*[\w-]+: [^\s{\["'|>][^"'{\[#]*?(: )`), always("a value with ': ' in it needs quotes")},
	{regexp.MustCompile(`[{,]\s*[\w-]+: *[^\s,{}\[\]]+ +([\w-]+:)`), func(text, _ string) string { return "want a comma before " + strings.TrimSuffix(text, ":") }},
}

// InYAML says of a syntax error in YAML where it is and what its author has to know. reads reports whether the first lines of
// the file can be read alone. The place of the parser's own error is often that of the block, or of the end.
func InYAML(text string, f finding.Finding, reads func(lines int) bool) finding.Finding {
	lines := strings.Split(text, "\n")
	line := firstWrong(lines, reads)
	if line == 0 {
		return f
	}
	f.Line = line
	whole := lines[line-1]
	f.Column = len(whole) - len(strings.TrimLeft(whole, " ")) + 1
	bare := blankYAML(whole)
	for _, o := range foreign {
		if at := o.pattern.FindStringSubmatchIndex(bare); at != nil && strings.Contains(f.Text, o.said) {
			f.Column, f.Text = at[2]+1, o.advice(bare[at[2]:at[3]], "")
			return f
		}
	}
	for _, h := range habitsYAML {
		for _, at := range h.pattern.FindAllStringSubmatchIndex(bare, -1) {
			if advice := h.advice(bare[at[2]:at[3]], bare[at[3]:]); advice != "" {
				f.Column, f.Text = at[2]+1, advice
				return f
			}
		}
	}
	if at := strings.IndexAny(bare, `"'`); at >= 0 && strings.TrimSpace(bare[at+1:]) != "" && strings.Count(bare, bare[at:at+1])%2 == 1 {
		f.Column, f.Text = at+1, "the text has no closing quote"
	} else if column, text := unmatchedIn(bare); text != "" {
		f.Column, f.Text = column, text
	} else if text := indentation(lines[:line]); text != "" {
		f.Text = text
	} else if !strings.Contains(bare, ":") && !strings.HasPrefix(strings.TrimSpace(bare), "-") {
		f.Text = "want ':' after " + strings.TrimSpace(whole)
	} else if line > 1 && strings.HasPrefix(lines[line-2], "package ") {
		f.Line, f.Column, f.Text = line-1, 1, "is CUE: name the file .cue"
	}
	return f
}

// foreign is what the parser says something of its own about.
var foreign = []struct {
	said string
	habit
}{
	{"unknown anchor", habit{regexp.MustCompile(`(\*[\w-]+)`), func(text, _ string) string {
		return text + ` leads nowhere; a text needs quotes: "` + text + `"`
	}}},
	{"cannot unmarshal tag", habit{regexp.MustCompile(`(![^\s,]+)`), func(text, _ string) string {
		return "has the tag " + text + ", which nothing here gives a meaning; remove it"
	}}},
	{"expected key", habit{regexp.MustCompile(`^\s*(-)\s`), always("an element of a list among named fields; nodes have names: w1: {...}")}},
	{"expected '-' indicator", habit{regexp.MustCompile(`^\s*([\w-]+):`), always("a named field among elements of a list; nodes have names: w1: {...}")}},
}

// firstWrong gives the line with which a file stops to be readable: those before it are. A bracket that later lines close makes
// the lines between unreadable alone, so the last such line counts.
func firstWrong(lines []string, reads func(lines int) bool) int {
	const many = 400
	good := 0
	if len(lines) <= many {
		for n := len(lines); n > 0 && good == 0; n-- {
			if reads(n) {
				good = n
			}
		}
	} else { // half by half: rarely wrong, and the other way takes the square
		bad := len(lines)
		for good+1 < bad {
			if middle := (good + bad) / 2; reads(middle) {
				good = middle
			} else {
				bad = middle
			}
		}
	}
	for line := good + 1; line <= len(lines); line++ {
		if t := strings.TrimSpace(lines[line-1]); t != "" && !strings.HasPrefix(t, "#") {
			return line
		}
	}
	return 0
}

var textYAML = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|(?:^|\s)#.*`)

func blankYAML(line string) string {
	return textYAML.ReplaceAllStringFunc(line, func(s string) string {
		if s[0] == '"' || s[0] == '\'' {
			return s[:1] + strings.Repeat(" ", len(s)-2) + s[:1]
		}
		return strings.Repeat(" ", len(s))
	})
}

// unmatchedIn finds a bracket of one line without its other half.
func unmatchedIn(bare string) (column int, text string) {
	var open []int
	for at := range len(bare) {
		switch c := bare[at]; c {
		case '{', '[':
			open = append(open, at)
		case '}', ']':
			if len(open) == 0 {
				return at + 1, "this '" + string(c) + "' closes nothing"
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return open[0] + 1, "this '" + string(bare[open[0]]) + "' is not closed"
	}
	return 0, ""
}

// indentation says how the last line is indented and the lines that it may belong to are.
func indentation(lines []string) string {
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	last := depth(lines[len(lines)-1])
	var around []int
	for i := len(lines) - 2; i >= 0; i-- {
		t := strings.TrimSpace(lines[i])
		if t == "" || strings.HasPrefix(t, "#") {
			continue
		}
		if d := depth(lines[i]); len(around) == 0 || d < around[len(around)-1] {
			around = append(around, d)
		}
	}
	if len(around) == 0 || slices.Contains(around, last) {
		return ""
	}
	if last > around[0] {
		return fmt.Sprintf("is indented by %s, and the line before it by %d: want them alike", spaces(last), around[0])
	}
	for i, d := range around[1:] {
		if d < last {
			return fmt.Sprintf("is indented by %s; want %d or %d, as lines before it", spaces(last), d, around[i])
		}
	}
	return fmt.Sprintf("is indented by %s; want %d, as a line before it", spaces(last), around[len(around)-1])
}

func spaces(n int) string {
	if n == 1 {
		return "1 space"
	}
	return fmt.Sprintf("%d spaces", n)
}
