package lsp

import (
	"bytes"
	"net/url"
	"path/filepath"
	"unicode/utf16"
	"unicode/utf8"
)

// positionOf is the place of a byte of a text.
func positionOf(text []byte, offset int) position {
	before := text[:min(max(offset, 0), len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return position{bytes.Count(before, []byte("\n")), units(before[start:])}
}

// offsetOf is the byte at a place of a text; a column behind the end of its line is that end.
func offsetOf(text []byte, p position) int {
	at := 0
	for range p.Line {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for left := p.Character; left > 0 && at < len(text) && text[at] != '\n'; {
		r, size := utf8.DecodeRune(text[at:])
		left -= utf16.RuneLen(r)
		at += size
	}
	return at
}

// units counts UTF-16 units.
func units(text []byte) int {
	n := 0
	for _, r := range string(text) {
		n += utf16.RuneLen(r)
	}
	return n
}

// pathOf is the file of a URI, or "" where it is none of this machine.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || u.Path == "" {
		return ""
	}
	return filepath.Clean(filepath.FromSlash(u.Path))
}

// uriOf is the URI of a file.
func uriOf(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}
