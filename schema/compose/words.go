package compose

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"skep.dev/schema/finding"
)

// compose-go tells of one mistake, by a path and in its own words.
var (
	pathOf   = regexp.MustCompile(`'?((?:services|networks|volumes|configs|secrets)[.\[][^\s:'"]+)'?`)
	brackets = regexp.MustCompile(`\[([^\]]*)\]`)
	prefixes = regexp.MustCompile(`^(validating [^:]*: |(error while )?interpolating *:? *|failed to cast to expected type: |decoding failed due to the following error\(s\): *|time: )+`)
	unknown  = regexp.MustCompile(`^additional properties '([^']*)'.* not allowed`)
)

// rewordings put the house's words for those of compose-go and of the libraries below it.
var rewordings = []struct {
	said *regexp.Regexp
	want string
}{
	{regexp.MustCompile(`^false schema$`), "the Compose specification has no such key here: correct its name, or remove it"},
	{regexp.MustCompile(`^must be an? (.*)$`), "want a $1"},
	{regexp.MustCompile(`^strconv\.\w+: parsing ("[^"]*"): .*$`), "want a number"},
	{regexp.MustCompile(`^invalid boolean: (.*)$`), "want true or false"},
	{regexp.MustCompile(`^invalid duration ("[^"]*")$`), "want a duration such as 1m30s, not $1"},
	{regexp.MustCompile(`^items at (\d+) and (\d+) are equal$`), "holds something twice, at $1 and $2"},
	{regexp.MustCompile(`\barray\b`), "list"},
	{regexp.MustCompile(`\bobject\b`), "mapping"},
	{regexp.MustCompile(`\bstring\b`), "text"},
	{regexp.MustCompile(`\binteger\b`), "whole number"},
}

// refused tells what compose-go says at its place in the files.
func (r *reader) refused(p *places, err error) {
	text := strings.Join(strings.Fields(err.Error()), " ")
	at, path := r.start(), ""
	if m := pathOf.FindStringSubmatch(text); m != nil {
		text = strings.TrimLeft(strings.Replace(text, m[0], "", 1), ": ")
		at, path = p.named(strings.TrimRight(brackets.ReplaceAllString(m[1], ".$1"), ".,"))
	}
	text = strings.TrimLeft(prefixes.ReplaceAllString(text, ""), ": ")
	if m := unknown.FindStringSubmatch(text); m != nil {
		at, path = p.named(path + "." + m[1])
		text = "false schema"
	}
	r.say(finding.ComposeRule, at, path, "", reworded(text))
}

func reworded(text string) string {
	for _, w := range rewordings {
		text = w.said.ReplaceAllString(text, w.want)
	}
	return text
}

// named looks up a path of compose-go's, whose names may have dots and whose bases have names of skep's.
func (p *places) named(path string) (place, string) {
	parts := p.split(path)
	for _, f := range p.files {
		for _, b := range f.bases {
			if len(parts) > 1 && parts[1] == b.key {
				at, _ := layer{b.value, b.at, parts[2:]}.walk(nil, 2)
				parts[1] = b.service
				return at, dotted(parts)
			}
		}
	}
	return p.find(nil, parts), dotted(parts)
}

// split cuts a path at its dots, but for those of names that the files have.
func (p *places) split(path string) []string {
	section, rest, _ := strings.Cut(path, ".")
	for _, name := range p.order()[section] {
		if strings.Contains(name, ".") && (rest == name || strings.HasPrefix(rest, name+".")) {
			return append([]string{section, name}, nonEmpty(strings.Split(strings.TrimPrefix(rest, name), "."))...)
		}
	}
	return nonEmpty(strings.Split(path, "."))
}

func nonEmpty(parts []string) []string {
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

var (
	lineOf = regexp.MustCompile(`line (\d+)(?:, column (\d+))?`)
	anchor = regexp.MustCompile(`unknown anchor '([^']*)'`)
)

// syntax tells what the reader of YAML says, at its place.
func (r *reader) syntax(name string, text []byte, err error) {
	said := strings.Join(strings.Fields(err.Error()), " ")
	if m := anchor.FindStringSubmatch(said); m != nil {
		r.anchor(name, text, m[1])
		return
	}
	at := place{name, 1, 1}
	if m := lineOf.FindAllStringSubmatch(said, -1); len(m) > 0 {
		last := m[len(m)-1]
		at.line, _ = strconv.Atoi(last[1])
		at.column, _ = strconv.Atoi(last[2])
		at.column = max(at.column, 1)
		said = said[strings.LastIndex(said, last[0])+len(last[0]):]
	}
	if countsFromZero(err) {
		at.line++
	}
	at.line = min(at.line, strings.Count(strings.TrimRight(string(text), "\n"), "\n")+1)
	said = strings.TrimLeft(strings.TrimPrefix(said, "yaml:"), ": ")
	if line := strings.Split(string(text), "\n")[at.line-1]; strings.Contains(said, "cannot start any token") && strings.Contains(line, "\t") {
		said = "a tab indents this line: YAML wants blanks"
	}
	r.say(finding.Syntax, at, "", "", "not valid YAML: "+said)
}

// countsFromZero reports whether the error is of YAML's parser, whose first line is 0; to its scanner it is 1.
func countsFromZero(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.HasSuffix(fmt.Sprintf("%T", err), "ParserError") {
			return true
		}
	}
	return false
}

// anchor tells of an alias whose anchor stands in no file, or in another one that was put before this one.
func (r *reader) anchor(name string, text []byte, anchor string) {
	at := place{name, 1, 1}
	for i, line := range strings.Split(string(text), "\n") {
		if column := strings.Index(line, "*"+anchor); column >= 0 {
			at = place{name, i + 1, column + 1}
			break
		}
	}
	r.say(finding.AnchorFromOtherFile, at, "", "*"+anchor, "&"+anchor+" does not stand above in this file, and anchors end with their file: copy what it names, or use extends:")
}
