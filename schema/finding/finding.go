// Package finding holds what can be said about a spec: one Finding is one line, whether a mistake or a warning, and every
// kind of finding has an ID, a cause and a way out.
package finding

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Level says whether a finding stops a build.
type Level string

// The levels.
const (
	Mistake Level = "error"   // the spec is wrong: nothing is built
	Warning Level = "warning" // the spec is right, and perhaps not what its author wants
)

// ID names a kind of finding. It does not change from one skep to the next.
type ID string

// Finding is one thing to say about a spec, at the place where its author can change it.
// File is relative to the working directory; Line and Column begin at 1 and are 0 when no place is known.
// Path is the field ("nodes.m1.address"); Got is what stands there as it was written, or empty; Text is what should.
type Finding struct {
	ID     ID     `json:"id"` // Kinds tells about each
	Level  Level  `json:"level"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path"`
	Got    string `json:"got,omitempty"`
	Text   string `json:"text"`
}

// Error gives the finding as one line, without the parts that are not known: `file:line:col: path: got: text`, or
// `file:line:col: warning: path: got: text [id]`.
func (f Finding) Error() string {
	var parts []string
	switch {
	case f.File != "" && f.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column))
	case f.File != "":
		parts = append(parts, f.File)
	}
	says := f.Says()
	if f.Level == Warning {
		says = "warning: " + says + " [" + string(f.ID) + "]"
	}
	if says != "" {
		parts = append(parts, says)
	}
	return strings.Join(parts, ": ")
}

// Says is the finding without its place: `path: got: text`.
func (f Finding) Says() string {
	var parts []string
	for _, part := range []string{f.Path, f.Got, f.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

func (f Finding) compare(o Finding) int {
	return cmp.Or(cmp.Compare(f.File, o.File), cmp.Compare(f.Line, o.Line), cmp.Compare(f.Column, o.Column), cmp.Compare(f.Path, o.Path))
}

// List is all that was found in a spec, each once. As an error it is mistakes.
type List []Finding

// Ordered sorts the findings in file order.
func (l List) Ordered() List {
	slices.SortStableFunc(l, Finding.compare)
	return l
}

// With adds the findings in err but those about the same fields.
func (l List) With(err error) List {
	var more List
	if !errors.As(err, &more) {
		return l.Ordered()
	}
	known := map[string]bool{}
	for _, f := range l {
		known[f.Path] = true
	}
	more = slices.DeleteFunc(slices.Clone(more), func(f Finding) bool { return known[f.Path] })
	return append(l, more...).Ordered()
}

// Error gives one line for each finding.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}
