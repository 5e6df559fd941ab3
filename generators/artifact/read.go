package artifact

import (
	"errors"
	"fmt"
	"strings"
)

// Fact is a variable of a script as it is read back.
type Fact struct {
	Name  string
	Words []string // one, unless it is an array
	From  string   // the comment above it, which names the field of the spec that decides
}

// Call is a row of a table as it is read back: the words, each NAME=VALUE of its cells one of them.
type Call []string

// Facts reads back the variables at the top of a Script, or the variables and the rows of a Table. It knows what this package
// writes and nothing else of shells.
func Facts(f File) (facts []Fact, calls []Call, err error) {
	s := &shell{text: string(f.Data)}
	table := false
	for from := ""; ; {
		s.skip(" \t")
		switch {
		case s.text == "":
			return facts, calls, nil
		case s.take("\n"):
			from = ""
		case s.take("# "):
			from = s.line()
			s.take("\n")
		case s.take("#"), s.take("set -euo pipefail"):
			s.line()
		case s.take("variables() {"):
			table = true
		case s.take("}"):
		case s.take("readonly "):
			fact, err := s.fact()
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", f.Path, s.number(f), err)
			}
			fact.From, from = from, ""
			facts = append(facts, fact)
		case !table:
			return facts, nil, nil // the body
		default:
			call, err := s.call()
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %w", f.Path, s.number(f), err)
			}
			calls = append(calls, call)
		}
	}
}

// shell is the rest of a script.
type shell struct{ text string }

// number is the line at which the rest begins.
func (s *shell) number(f File) int {
	return strings.Count(string(f.Data[:len(f.Data)-len(s.text)]), "\n") + 1
}

func (s *shell) take(prefix string) bool {
	rest, ok := strings.CutPrefix(s.text, prefix)
	s.text = rest
	return ok
}

func (s *shell) skip(chars string) { s.text = strings.TrimLeft(s.text, chars) }

// line takes the rest of the line, and leaves its end.
func (s *shell) line() string {
	line, _, _ := strings.Cut(s.text, "\n")
	s.text = s.text[len(line):]
	return line
}

// fact takes NAME=VALUE, or -a NAME=(VALUE...).
func (s *shell) fact() (Fact, error) {
	array := s.take("-a ")
	name, rest, ok := strings.Cut(s.text, "=")
	if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" {
		return Fact{}, errors.New("want the name of a variable")
	}
	s.text = rest
	f := Fact{Name: name}
	if !array {
		word, err := s.word()
		f.Words = []string{word}
		return f, err
	}
	if !s.take("(") {
		return f, errors.New("want the words of an array")
	}
	for {
		s.skip(" \t\n")
		if s.take(")") {
			return f, nil
		}
		word, err := s.word()
		if err != nil {
			return f, err
		}
		f.Words = append(f.Words, word)
	}
}

// call takes words up to the end of the line; a backslash in front of it goes on with the next one.
func (s *shell) call() (Call, error) {
	var words Call
	for {
		s.skip(" \t")
		switch {
		case s.text == "", s.take("\n"):
			return words, nil
		case s.take("\\\n"):
			continue
		}
		word, err := s.word()
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}

// word takes a word: what stands in single quotes, a quote behind a backslash, and characters that need neither.
func (s *shell) word() (string, error) {
	var b strings.Builder
	for begun := false; ; begun = true {
		switch {
		case s.take(`\'`):
			b.WriteByte('\'')
		case s.take("'"):
			quoted, rest, ok := strings.Cut(s.text, "'")
			if !ok {
				return "", errors.New("a quote has no end")
			}
			b.WriteString(quoted)
			s.text = rest
		default:
			bare := len(s.text) - len(strings.TrimLeft(s.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=-"))
			if bare == 0 && !begun {
				return "", errors.New("want a word as skep writes it")
			}
			b.WriteString(s.text[:bare])
			s.text = s.text[bare:]
			if bare == 0 {
				return b.String(), nil
			}
		}
	}
}
