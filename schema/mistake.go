package schema

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with a spec, at the place where its author can change it.
// File is relative to the working directory; Line and Column begin at 1 and are 0 when no place is known.
// Path is the field ("nodes.m1.address"); Got is what stands there as it was written, or empty; Rule is what should.
type Mistake struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path"`
	Got    string `json:"got,omitempty"`
	Rule   string `json:"rule"`
}

// Error gives the mistake as one line: `file:line:col: path: got: rule`, without the parts that are not known.
func (m Mistake) Error() string {
	var parts []string
	switch {
	case m.File != "" && m.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column))
	case m.File != "":
		parts = append(parts, m.File)
	}
	for _, part := range []string{m.Path, m.Got, m.Rule} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

func (m Mistake) compare(o Mistake) int {
	return cmp.Or(cmp.Compare(m.File, o.File), cmp.Compare(m.Line, o.Line), cmp.Compare(m.Column, o.Column), cmp.Compare(m.Path, o.Path))
}

// Mistakes are all mistakes of a spec, in file order, each once.
type Mistakes []Mistake

// Ordered sorts the mistakes in file order.
func (ms Mistakes) Ordered() Mistakes {
	slices.SortStableFunc(ms, Mistake.compare)
	return ms
}

// with adds the mistakes in err but those about the same fields.
func (ms Mistakes) with(err error) Mistakes {
	var more Mistakes
	if !errors.As(err, &more) {
		return ms.Ordered()
	}
	known := map[string]bool{}
	for _, m := range ms {
		known[m.Path] = true
	}
	more = slices.DeleteFunc(slices.Clone(more), func(m Mistake) bool { return known[m.Path] })
	return append(ms, more...).Ordered()
}

// Error gives one line for each mistake.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// InputError says that a spec could not be read, or not within the limits: nothing is known about its mistakes.
// Load returns it, and never Mistakes, for a missing or unreadable file, a directory without a CUE package, a file of
// an unknown kind, and a spec that is too large or takes too long. Err is the cause where there is one, else nil.
type InputError struct {
	Path string // as the user named it
	Text string
	Err  error
}

// Error gives one line.
func (e *InputError) Error() string { return oneLine(e.Path) + ": " + oneLine(e.Text) }

// Unwrap gives the cause, so that errors.Is(err, fs.ErrNotExist) works.
func (e *InputError) Unwrap() error { return e.Err }
