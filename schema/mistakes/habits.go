package mistakes

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// habit is what people write who know another language. The pattern's first group is where the mistake stands, and advice
// says what to write there, for what stands in it and after it, or nothing where it is none.
type habit struct {
	pattern *regexp.Regexp
	advice  func(written, after string) string
}

// habits, the surest sign first. Of texts in quotes, and of comments, they see blanks alone.
var habits = []habit{
	{regexp.MustCompile(`([“”„‘’])`), always(`want plain quotes: "`)},
	{regexp.MustCompile(`(\x{00a0})`), always("is a no-break space; want a plain one")},
	{regexp.MustCompile(`(/\*)`), always("a comment begins with // and ends with its line")},
	{regexp.MustCompile(`^(---)`), always("is YAML: name the file .yaml, or remove the line")},
	{regexp.MustCompile(`^import\s+([^"(\s][^\s]*)`), func(text, _ string) string {
		return `want double quotes: import "` + strings.Trim(text, "'`") + `"`
	}},
	{regexp.MustCompile(`^package\s+(")`), always("the name of a package has no quotes: package cluster")},
	{regexp.MustCompile(`^package\s+\w+(-)`), always("the name of a package has letters, digits and _ only: package cluster")},
	{regexp.MustCompile(`^\s*(#)(?:[^:]*)$`), always("a comment begins with //")},
	{regexp.MustCompile(`\s(#)\s`), always("a comment begins with //")},
	{regexp.MustCompile(`^\s*(-)\s`), always("a list is written in brackets: [...], and nodes by their names: w1: {...}")},
	{regexp.MustCompile(`(\$\{[^}]*\}?)`), variable},
	{regexp.MustCompile(`(;)`), always("want a comma or a new line instead of ;")},
	{regexp.MustCompile(`(?:^|[{,])\s*[\w-]+\s*(=)(?:[^=~]|$)`), always("want ':' instead of '='")},
	{regexp.MustCompile(`(?:^|[\s\[,:])([0-9a-fA-F.:]+(?:/[0-9]+)?)(?:[\s\],}]|$)`), address},
	{regexp.MustCompile(`:\s*(/[\w./-]+)`), quoted},
	{regexp.MustCompile(`:\s*\[?(\*)\s*\]?\s*$`), always(`* is not a value; the whole world is ["0.0.0.0/0", "::/0"]`)},
	{regexp.MustCompile(`:\s*(0[0-9]+)\b`), func(text, _ string) string { return "a number has no zeros in front: " + decimal(text) }},
	{regexp.MustCompile(`(,)\s*,`), always("one comma too many")},
	{regexp.MustCompile(`(?:^|[\s{,:])([A-Za-z0-9_.-]+)\s*[!?]?:`), name},
	{regexp.MustCompile(`^\s*[\w$]+\s+("\s*")`), always("want ':' before this")},
	{regexp.MustCompile(`^\s*[\w$]+\s+(\{)`), always("want ':' before '{'")},
	{regexp.MustCompile(`:\s*\w*\.?#\w+\s+(\{)`), always("want & before '{'")},
}

func always(text string) func(string, string) string {
	return func(string, string) string { return text }
}

func quoted(text, _ string) string { return text + ` needs quotes: "` + text + `"` }

func variable(text, _ string) string {
	return text + " is not a variable here: skep fills in none, so write the value, in quotes"
}

// decimal drops the zeros in front of a number.
func decimal(text string) string {
	if plain := strings.TrimLeft(text, "0"); plain != "" {
		return plain
	}
	return "0"
}

// address wants quotes around addresses and networks.
func address(text, _ string) string {
	_, notOne := netip.ParseAddr(text)
	_, notMany := netip.ParsePrefix(text)
	if notOne != nil && notMany != nil {
		return ""
	}
	return quoted(text, "")
}

// name wants quotes around names that CUE does not take without.
func name(text, after string) string {
	what := ""
	switch {
	case strings.Contains(text, "-"):
		what = "with a hyphen"
	case strings.Contains(text, "."):
		what = "with a dot"
	case text[0] >= '0' && text[0] <= '9':
		what = "that begins with a digit"
	default:
		return ""
	}
	value := ""
	if strings.HasPrefix(strings.TrimLeft(after, ": "), "{") {
		value = ": {...}"
	}
	return "a name " + what + ` needs quotes: write "` + text + `"` + value
}

// words are those of CUE's parser that say too little, and better ones.
var words = map[string]string{
	"missing ',' in struct literal": "want a comma or a new line before this",
	"missing ',' in list literal":   "want a comma before this",
	"string literal not terminated": `the text has no closing quote`,
}

// Habits says of the mistakes in the text of a file what its author has to know, where a line shows it. What only follows from
// an earlier one is left out.
func Habits(text string, found finding.List) finding.List {
	lines := strings.Split(text, "\n")
	var out finding.List
	for _, f := range found {
		switch {
		case strings.HasPrefix(f.Text, "imported and not used") && slices.ContainsFunc(found, isLost):
			continue // since its name is written otherwise there
		case f.ID == finding.UnresolvedReference && f.Line >= 1:
			f.Text += meant(text, lines, f)
		case f.ID == finding.Syntax && f.Line >= 1:
			if slices.ContainsFunc(out, breaks) || len(out) > 0 && strings.HasPrefix(f.Text, "expected ") {
				continue
			}
			if !strings.HasPrefix(f.Text, "want ") {
				f = habitual(lines, f)
			}
		}
		if !slices.ContainsFunc(out, func(o finding.Finding) bool { return follows(f, o) }) {
			out = append(out, f)
		}
	}
	return out
}

// breaks reports whether what comes after a mistake is read otherwise than it is meant.
func breaks(f finding.Finding) bool {
	return f.ID == finding.Syntax && (strings.HasPrefix(f.Text, "this '") || strings.Contains(f.Text, "closing quote"))
}

// isLost reports whether a mistake is a name that leads nowhere.
func isLost(f finding.Finding) bool {
	return f.ID == finding.UnresolvedReference && !strings.HasPrefix(f.Text, "imported")
}

// follows reports whether a mistake says nothing that an earlier one does not.
func follows(f, earlier finding.Finding) bool {
	if f.ID != earlier.ID || f.Line != earlier.Line {
		return false
	}
	return f.ID == finding.Syntax || f.ID == finding.UnresolvedReference && f.Column == earlier.Column
}

// habitual looks at the line of an error, and at the one before, since the parser may go on for as long. Where neither tells,
// it looks for brackets that do not match.
func habitual(lines []string, f finding.Finding) finding.Finding {
	for line := f.Line; line >= max(1, f.Line-1); line-- {
		if line > len(lines) {
			continue
		}
		if column, advice := lookAt(lines[line-1]); advice != "" {
			f.Line, f.Column, f.Text = line, column, advice
			return f
		}
	}
	if better, ok := words[f.Text]; ok {
		f.Text = better
		return f
	}
	if line, column, text := unmatched(lines); text != "" && strings.Contains(f.Text, "expected") {
		f.Line, f.Column, f.Text = line, column, text
		return f
	}
	for line := min(f.Line, len(lines)); line >= 1; line-- { // an alias may go on for many lines
		if at := alias.FindStringSubmatchIndex(blank(lines[line-1])); at != nil && strings.HasPrefix(f.Text, "expected label") {
			f.Line, f.Column, f.Text = line, at[2]+1, "want ':' instead of '='"
			return f
		}
	}
	return f
}

var alias = regexp.MustCompile(`^\s*\w+\s*(=)\s`)

// lookAt gives the first habit that a line shows.
func lookAt(line string) (column int, advice string) {
	bare := blank(line)
	for _, h := range habits {
		for _, at := range h.pattern.FindAllStringSubmatchIndex(bare, -1) {
			if advice := h.advice(bare[at[2]:at[3]], bare[at[3]:]); advice != "" {
				return at[2] + 1, advice
			}
		}
	}
	return 0, ""
}

// text is a text in quotes, or a comment.
var text = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|//.*`)

// blank puts as many blanks for texts and comments.
func blank(line string) string {
	return text.ReplaceAllStringFunc(line, func(s string) string {
		if s[0] == '"' {
			return `"` + strings.Repeat(" ", len(s)-2) + `"`
		}
		return strings.Repeat(" ", len(s))
	})
}
