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
	{regexp.MustCompile(`^\s*(#)(?:[^:]*)$`), always("a comment begins with //")},
	{regexp.MustCompile(`\s(#)\s`), always("a comment begins with //")},
	{regexp.MustCompile(`(;)`), always("want a comma or a new line instead of ;")},
	{regexp.MustCompile(`(?:^|[{,])\s*[\w-]+\s*(=)(?:[^=~]|$)`), always("want ':' instead of '='")},
	{regexp.MustCompile(`(?:^|[\s\[,:])([0-9a-fA-F.:]+(?:/[0-9]+)?)(?:[\s\],}]|$)`), address},
	{regexp.MustCompile(`(?:^|[\s{,:])([A-Za-z0-9_.-]+)\s*[!?]?:`), name},
	{regexp.MustCompile(`^\s*[\w$]+\s+(\{)`), always("want ':' before '{'")},
}

func always(text string) func(string, string) string {
	return func(string, string) string { return text }
}

// address wants quotes around addresses and networks.
func address(text, _ string) string {
	_, notOne := netip.ParseAddr(text)
	_, notMany := netip.ParsePrefix(text)
	if notOne != nil && notMany != nil {
		return ""
	}
	return text + ` needs quotes: "` + text + `"`
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
	"expected '}', found 'EOF'":     "a '{' has no '}'",
	"expected ']', found 'EOF'":     "a '[' has no ']'",
}

// Habits says of the syntax errors in a file what its author has to know, where a line shows it. What only follows from an
// earlier error is left out.
func Habits(text string, found finding.List) finding.List {
	lines := strings.Split(text, "\n")
	var out finding.List
	for _, f := range found {
		if f.ID != finding.Syntax || f.Line < 1 {
			out = append(out, f)
			continue
		}
		if len(out) > 0 && strings.HasSuffix(f.Text, "found 'EOF'") {
			continue
		}
		f = habitual(lines, f)
		if !slices.ContainsFunc(out, func(o finding.Finding) bool { return o.ID == finding.Syntax && o.Line == f.Line }) {
			out = append(out, f)
		}
	}
	return out
}

// habitual looks at the line of an error, and at the one before, since the parser may go on for as long.
func habitual(lines []string, f finding.Finding) finding.Finding {
	for line := f.Line; line >= max(1, f.Line-1); line-- {
		if line > len(lines) {
			continue
		}
		bare := blank(lines[line-1])
		for _, h := range habits {
			for _, at := range h.pattern.FindAllStringSubmatchIndex(bare, -1) {
				if advice := h.advice(bare[at[2]:at[3]], bare[at[3]:]); advice != "" {
					f.Line, f.Column, f.Text = line, at[2]+1, advice
					return f
				}
			}
		}
	}
	if better, ok := words[f.Text]; ok {
		f.Text = better
	}
	return f
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
