package review

import (
	_ "embed"
	"fmt"
	"html"
	"slices"
	"strings"

	"skep.dev/schema"
)

//go:embed topology.css
var styleSheet string

// styles is the style sheet, without the zones that the cluster does not have.
func styles(c *schema.Cluster) string {
	var b strings.Builder
	for line := range strings.Lines(styleSheet) {
		class, _, _ := strings.Cut(strings.TrimPrefix(line, "."), " ")
		if !slices.Contains(schema.Zones(), class) || slices.Contains(c.Zones(), class) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// drawing collects the elements of an SVG picture, one a line.
type drawing struct{ body strings.Builder }

// group begins what is drawn relative to a point: it stays the same where it moves. A class is a word of the style sheet.
func (d *drawing) group(class string, x, y int) {
	fmt.Fprintf(&d.body, "<g class=\"%s\" transform=\"translate(%d %d)\">\n", class, x, y)
}

func (d *drawing) end() { d.body.WriteString("</g>\n") }

func (d *drawing) box(class string, x, width, height int) {
	fmt.Fprintf(&d.body, "<rect class=\"%s\" x=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\"/>\n", class, x, width, height)
}

func (d *drawing) path(class, steps string) {
	fmt.Fprintf(&d.body, "<path class=\"%s\" d=\"%s\"/>\n", class, steps)
}

// text writes lines below each other. None says how far down it is, so that one that comes or goes leaves the others as
// they are. Whatever the spec says is text there and no markup.
func (d *drawing) text(x, y int, lines []line) {
	fmt.Fprintf(&d.body, "<text transform=\"translate(%d %d)\">\n", x, y)
	for _, l := range lines {
		for i, s := range l {
			place := fmt.Sprintf("x=\"%d\"", s.column)
			switch {
			case i == 0:
				place += fmt.Sprintf(" dy=\"%d\"", lineHeight)
			case s.column == 0:
				place = fmt.Sprintf("dx=\"%d\"", wordGap)
			}
			if s.class != "" {
				place += " class=\"" + s.class + "\""
			}
			fmt.Fprintf(&d.body, "<tspan %s>%s</tspan>", place, html.EscapeString(s.text))
		}
		d.body.WriteByte('\n')
	}
	d.body.WriteString("</text>\n")
}

// file returns the whole picture.
func (d *drawing) file(title, styles string, width, height int) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d">
<title>%[3]s</title>
<style>
%[4]s</style>
<rect class="paper" width="100%%" height="100%%"/>
%[5]s</svg>
`, width, height, html.EscapeString(title), styles, d.body.String())
}

// line is a line of text: spans that follow each other, or stand in columns.
type line []span

// span is text of one class of the style sheet. It follows what stands before it, or begins at a column of its own.
type span struct {
	class, text string
	column      int
	leads       bool // it stays with what follows
}

// filled puts words into lines of that width, in pixels. A word that is longer is cut, behind a sign where there is one.
func filled(width int, words ...span) []line {
	var out []line
	room := 0
	for i, word := range words {
		for word.text != "" {
			need := wide(word)
			if word.leads {
				need += wordGap + wide(words[i+1])
			}
			if len(out) == 0 || need > room && room < width {
				out, room = append(out, nil), width
			}
			head := word
			for wide(head) > room && len([]rune(head.text)) > 1 {
				head.text = shorter(head.text)
			}
			word.text = word.text[len(head.text):]
			room -= wide(head) + wordGap
			out[len(out)-1] = out[len(out)-1].with(head)
		}
	}
	return out
}

// with returns the line and one more span; words of one class are one text.
func (l line) with(s span) line {
	if n := len(l); n > 0 && l[n-1].class == s.class {
		l[n-1].text += " " + s.text
		return l
	}
	return append(l, s)
}

// shorter is the text up to a sign, or without its last letter.
func shorter(text string) string {
	letters := []rune(text)
	letters = letters[:len(letters)-1]
	for i := len(letters); i > len(letters)*2/3; i-- {
		if strings.ContainsRune("-.:/,", letters[i-1]) {
			return string(letters[:i])
		}
	}
	return string(letters)
}

// words cuts a text at its blanks.
func words(class, text string) []span {
	var out []span
	for word := range strings.FieldsSeq(text) {
		out = append(out, span{class: class, text: word})
	}
	return out
}

// wide is how many pixels the text takes at most, in the widest of the fonts that viewers take for sans-serif and monospace.
func wide(s span) int {
	size, bold := 12, false
	switch s.class {
	case "title":
		size, bold = 22, true
	case "name", "zone":
		size, bold = 14, true
	case "duty", "world":
		bold = true
	}
	hundredths := 0
	for _, letter := range s.text {
		hundredths += advance(letter)
	}
	if s.class == "code" {
		hundredths = 61 * len([]rune(s.text))
	}
	if bold {
		hundredths = hundredths * 112 / 100
	}
	return (hundredths*size + 99) / 100
}

// advance is the width of a letter in hundredths of its size, rounded up: that of DejaVu Sans or Verdana.
func advance(letter rune) int {
	switch {
	case letter > 0x7e:
		return 100
	case strings.ContainsRune("fijlrtI.,:;'!|()[]/- ", letter):
		return 46
	case strings.ContainsRune("mwMW@%+&", letter):
		return 100
	case letter >= 'A' && letter <= 'Z':
		return 80
	}
	return 64
}
