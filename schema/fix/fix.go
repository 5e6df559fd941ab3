// Package fix makes of what a finding says to write an edit of the file that it is about.
package fix

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"skep.dev/schema/finding"
)

// Edit puts a text in the place of the bytes from Start to End of a file.
type Edit struct {
	Start, End int
	Text       string
}

// saying is a form in which findings name what to write instead, and whether it stands in quotes whatever stood there.
type saying struct {
	form  *regexp.Regexp
	write writing
}

// writing is what becomes of the words of a saying.
type writing int

const (
	asItStood writing = iota // in quotes where there were some
	whole                    // as it is said
	quoted                   // in quotes; only what is said stands there
)

// sayings are those of skep; the first that fits counts.
var sayings = []saying{
	{regexp.MustCompile(`did you mean "([^"]+)"\?$`), asItStood},
	{regexp.MustCompile(`\(write (\[".*"\]|"[^"]*")\)$`), whole},
	{regexp.MustCompile(`\(without quotes: (\S+)\)$`), whole},
	{regexp.MustCompile(`\(in quotes: ("[^"]*")\)$`), whole},
	{regexp.MustCompile(`needs quotes: "([^"]+)"$`), quoted},
	{regexp.MustCompile(`needs quotes: write "([^"]+)"(?:: \{\.\.\.\})?$`), quoted},
	{regexp.MustCompile(`want double quotes: ("[^"]*")$`), whole},
	{regexp.MustCompile(`; write (-?[0-9]+)$`), whole},
	{regexp.MustCompile(`; write ("[^"]*") in quotes$`), whole},
	{regexp.MustCompile(`a number has no zeros in front: ([0-9]+)$`), whole},
}

// Of gives the edit that a finding asks for in the file that it is about, and whether there is one.
func Of(f finding.Finding, file []byte) (Edit, bool) {
	start, ok := offset(f, file)
	if !ok {
		return Edit{}, false
	}
	line, _, _ := bytes.Cut(file[start:], []byte("\n"))
	for _, s := range sayings {
		m := s.form.FindStringSubmatch(f.Text)
		if m == nil {
			continue
		}
		size := standing(f, line)
		text := m[1]
		switch {
		case s.write == quoted && (!bytes.HasPrefix(line, []byte(text)) || start > 0 && file[start-1] == '.'): // not the name alone
			return Edit{}, false
		case s.write == quoted:
			size, text = len(text), strconv.Quote(text)
		case s.write == asItStood && size > 1 && (line[0] == '"' || line[0] == '\''):
			text = string(line[:1]) + text + string(line[:1])
		case s.write == asItStood && !plain.MatchString(text):
			text = strconv.Quote(text)
		}
		return Edit{start, start + size, text}, size > 0 && string(line[:size]) != text
	}
	return Edit{}, false
}

// plain is a name that needs quotes in no language of specs.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// offset is where a finding's place is in its file.
func offset(f finding.Finding, file []byte) (int, bool) {
	at := 0
	for n := 1; n < f.Line; n++ {
		i := bytes.IndexByte(file[at:], '\n')
		if i < 0 {
			return 0, false
		}
		at += i + 1
	}
	line, _, _ := bytes.Cut(file[at:], []byte("\n"))
	return at + f.Column - 1, f.Line > 0 && f.Column > 0 && f.Column <= len(line)
}

// standing is the length of what a finding is about: a text in quotes, what it says it got, or a word.
func standing(f finding.Finding, line []byte) int {
	if line[0] == '"' || line[0] == '\'' {
		for i := 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case line[0]:
				return i + 1
			}
		}
		return 0
	}
	got := f.Got
	if s, err := strconv.Unquote(got); err == nil && got != "" {
		got = s
	}
	if got != "" && strings.HasPrefix(string(line), got) {
		return len(got)
	}
	if got != "" {
		return 0 // such as a list or fields, of which the finding shows the beginning
	}
	return len(word.Find(line))
}

var word = regexp.MustCompile(`^[\w#$.-]+`)
