package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"skep.dev/schema/finding"
)

// talker is stderr: harmless, and aware of whether somebody looks at it in a terminal.
type talker struct {
	harmless
	terminal bool
}

func newTalker(w io.Writer) talker {
	return talker{harmless{w, coloursFor(w)}, isTerminal(w)}
}

// hidden are the blanks and colons that begin a line which the runner of a forge would obey.
var hidden = regexp.MustCompile(`(?m)^([\s\p{Z}\x{85}]*):(:)`)

// Write writes lines, none of which is a command.
func (t talker) Write(p []byte) (int, error) {
	if _, err := t.harmless.Write(hidden.ReplaceAll(p, []byte(`${1}\u003a$2`))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// tell prints a finding, and in a terminal below it the line that it is about, with a caret.
func tell(w io.Writer, f finding.Finding) {
	t, ok := w.(talker)
	if !ok || !t.terminal {
		fmt.Fprintln(w, f.Error())
		return
	}
	code := "1;31"
	if f.Level == finding.Warning {
		code = "33"
	}
	fmt.Fprint(w, f.Error()+"\n"+excerpt(f, func(caret string) string { return t.paint(code, caret) }))
}

// excerptWidth is how much of a line an excerpt shows.
const excerptWidth = 100

// excerpt is the line of a finding with a caret below its place, or nothing where there is no such line.
func excerpt(f finding.Finding, paint func(string) string) string {
	text, err := os.ReadFile(f.File)
	lines := bytes.Split(text, []byte("\n"))
	if err != nil || f.Line < 1 || f.Line > len(lines) {
		return "" // of a revision of git, or gone
	}
	line := strings.TrimRight(string(bytes.TrimPrefix(lines[f.Line-1], []byte("\ufeff"))), "\r")
	plain := strings.NewReplacer("\t", "    ")
	before := []rune(plain.Replace(line[:min(max(f.Column-1, 0), len(line))]))
	shown, at := []rune(plain.Replace(line)), len(before)
	if start := at - excerptWidth/2; len(shown) > excerptWidth && start > 0 {
		shown, at = append([]rune("..."), shown[start:]...), at-start+3
	}
	if len(shown) > excerptWidth {
		shown = append(shown[:excerptWidth:excerptWidth], []rune("...")...)
	}
	return fmt.Sprintf("%5d | %s\n      | %s%s\n", f.Line, string(shown), strings.Repeat(" ", at), paint("^"))
}
