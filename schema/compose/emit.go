package compose

import (
	"fmt"
	"strings"
)

// text writes a file for compose-go: one document without anchors, merge keys, variables or files to open.
func (f *file) text() []byte {
	root := *f.root
	root.entries = append([]entry{}, root.entries...)
	if services := root.get("services"); services != nil && len(f.bases) > 0 {
		all := *services
		all.entries = append([]entry{}, services.entries...)
		for _, b := range f.bases {
			all.entries = append(all.entries, b.entry)
		}
		root.entry("services").value = &all
	}
	var w strings.Builder
	write(&w, &root)
	return []byte(w.String())
}

func write(w *strings.Builder, n *node) {
	if n.tag != "" {
		w.WriteString(n.tag + " ")
	}
	switch {
	case n.kind == scalar && n.bare:
		w.WriteString(n.text)
	case n.kind == scalar:
		quote(w, n.text)
	case n.kind == list:
		w.WriteString("[")
		for i, item := range n.items {
			if i > 0 {
				w.WriteString(",\n")
			}
			write(w, item)
		}
		w.WriteString("]")
	default:
		w.WriteString("{")
		for i, e := range n.entries {
			if i > 0 {
				w.WriteString(",\n")
			}
			if len(e.key) > maxKey/8 { // a key with a colon on its line may not be long
				w.WriteString("? ")
			}
			quote(w, e.key)
			w.WriteString(": ")
			write(w, e.value)
		}
		w.WriteString("}")
	}
}

// quote writes a text in double quotes, with all that YAML may not see as it is by its number.
func quote(w *strings.Builder, s string) {
	w.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			w.WriteByte('\\')
			w.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(w, `\U%08x`, c)
		case c < ' ' || c > '~':
			fmt.Fprintf(w, `\u%04x`, c)
		default:
			w.WriteByte(byte(c))
		}
	}
	w.WriteByte('"')
}
