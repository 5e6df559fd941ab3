package firewall

import (
	"fmt"
	"strings"
)

// lines builds an indented text.
type lines struct {
	b        strings.Builder
	indent   int
	counters map[string]bool // that its rules name
}

// count notes a counter that a rule names.
func (w *lines) count(name string) {
	if w.counters == nil {
		w.counters = map[string]bool{}
	}
	w.counters[name] = true
}

// add writes one line; an empty one is not indented.
func (w *lines) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if line != "" {
		w.b.WriteString(strings.Repeat("\t", w.indent))
	}
	w.b.WriteString(line)
	w.b.WriteByte('\n')
}

// block writes head, a brace, what inner writes, and the closing brace.
func (w *lines) block(head string, inner func()) {
	w.add("%s {", head)
	w.indent++
	inner()
	w.indent--
	w.add("}")
}

func (w *lines) String() string { return w.b.String() }
