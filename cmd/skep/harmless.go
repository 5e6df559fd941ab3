package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// harmless writes text in which nothing steers a terminal: texts of a spec, a bundle, git or the names of files reach a
// reader as they are, but for control characters and what turns the direction of a line, and what begins a
// command to the runner of a forge, which are shown as escapes. They are those of JSON, so that a document stays one.
type harmless struct {
	to io.Writer
	colours
}

// painted are the colours that skep itself writes.
var painted = regexp.MustCompile(`^\x1b\[(0|1;31|3[1-3])m`)

// commands are words that make a forge's runner do something, wherever in its log they stand: ##[add-mask], ##vso[task...].
var commands = regexp.MustCompile(`^##[A-Za-z]*\[`)

// Write writes p whole; a character must not be divided between two writes.
func (h harmless) Write(p []byte) (int, error) {
	var b bytes.Buffer
	for at := 0; at < len(p); {
		r, size := utf8.DecodeRune(p[at:])
		if h.on {
			if own := painted.Find(p[at:]); own != nil {
				size = len(own)
				r = ' '
			}
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, p[at])
		case r == '#' && commands.Match(p[at:]):
			b.WriteString(`\u0023`)
		case r == '\r' && bytes.HasPrefix(p[at:], []byte("\r\n")):
		case r != '\n' && r != '\t' && unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.Write(p[at : at+size])
		}
		at += size
	}
	if _, err := h.to.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
