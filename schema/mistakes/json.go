package mistakes

import (
	"regexp"
	"strings"

	"skep.dev/schema/finding"
)

// wordJSON is what stands in JSON without quotes.
var wordJSON = regexp.MustCompile(`^[^\s,:{}\[\]"]+`)

// InJSON says of a syntax error in JSON, which the standard library found at an offset, what its author has to know.
func InJSON(text string, f finding.Finding, offset int) finding.Finding {
	at := min(max(offset-1, 0), len(text))
	before := strings.TrimRight(text[:at], " \t\r\n")
	last := before[max(0, len(before)-1):]
	start := strings.LastIndexAny(text[:at], " \t\n,:{}[]\"") + 1 // of a word that is wrong within
	word := wordJSON.FindString(text[start:])
	say := func(at int, advice string) finding.Finding {
		f.Line = strings.Count(text[:at], "\n") + 1
		f.Column = at - strings.LastIndex(text[:at], "\n")
		f.Text = advice
		return f
	}
	c := ""
	if at < len(text) {
		c = text[at : at+1]
	}
	switch {
	case strings.Contains(f.Text, "unexpected end"):
		if line, column, advice := unmatched(strings.Split(text, "\n")); advice != "" {
			f.Line, f.Column, f.Text = line, column, advice
		}
	case strings.Contains(f.Text, "in string literal"):
		return say(strings.LastIndex(text[:at], `"`), "the text has no closing quote")
	case c == "/" || c == "#":
		return say(at, "JSON has no comments")
	case c == "'":
		return say(at, `want double quotes: "`)
	case last == "," && (c == "}" || c == "]"):
		return say(len(before)-1, "no comma before "+c)
	case strings.Contains(f.Text, "after top-level value"):
		return say(at, "nothing may follow the closing bracket")
	case strings.Contains(f.Text, "after object key") && !strings.Contains(f.Text, "pair"):
		return say(at, "want ':' here")
	case (c == `"` || c == "{" || c == "[") && strings.Contains(f.Text, " after "):
		return say(at, "want a comma before this")
	case c == ";":
		return say(at, "want a comma instead of ;")
	case regexp.MustCompile(`^0[0-9]+$`).MatchString(word):
		return say(start, "a number has no zeros in front: "+decimal(word))
	case word == "True" || word == "False" || word == "None":
		return say(start, "want "+map[string]string{"True": "true", "False": "false", "None": "null"}[word])
	case word != "":
		return say(start, word+` needs quotes: "`+word+`"`)
	}
	return f
}
