package artifact

import (
	"bytes"
	"regexp"
	"strings"

	"skep.dev/schema"
)

// Origin says which field of the spec decides lines of a file: First to Last, counted from 1.
type Origin struct {
	First, Last int
	Field       string // "services.nfs.path", or "nodes.*.ssh.port" for that of every node
}

// Text is a file whose comments name the fields that decide it.
func Text(path string, data []byte) File {
	return File{Path: path, Mode: 0o644, Data: data, Origins: origins(data)}
}

// field is the path of a field of the spec.
var field = `(?:` + strings.Join(schema.Fields(), "|") + `)(?:\.(?:[A-Za-z0-9_*-]+|"[^"]*"))*`

// named finds the fields at the beginning of a comment: "services.nfs, services.s3: what is said about them".
var named = regexp.MustCompile(`^(` + field + `(?:(?:, | and )` + field + `)*)(?:'?$|[,:;] )`)

// separator stands between fields in a comment.
var separator = regexp.MustCompile(`, | and `)

// origins reads what the comments of a file say. One behind other text is about its line. One on a line of its own is about
// the next line and what belongs to it: further indented lines and a bracket that closes, or all lines of a [section].
func origins(data []byte) []Origin {
	var found []Origin
	var open block
	number := 0
	for line := range bytes.Lines(data) {
		number++
		fields, own := fieldsOf(line)
		if open.ends(line) || own {
			open = block{}
		}
		for i := range open.origins {
			found[open.first+i].Last = number
		}
		for _, f := range fields {
			found = append(found, Origin{First: number, Last: number, Field: f})
		}
		if own {
			open = block{first: len(found) - len(fields), origins: len(fields), indent: indentOf(line)}
		} else {
			open.take(line)
		}
	}
	return found
}

// block is what a comment on a line of its own is about.
type block struct {
	first, origins int // its first origin, and their number
	indent         int
	begun, section bool
}

// take looks at a line of the block.
func (b *block) take(line []byte) {
	text := bytes.TrimSpace(line)
	if !b.begun && !bytes.HasPrefix(text, []byte("#")) {
		b.begun, b.section = true, bytes.HasPrefix(text, []byte("["))
	}
}

// ends reports whether a line does not belong to the block any more.
func (b *block) ends(line []byte) bool {
	text, at := bytes.TrimSpace(line), indentOf(line)
	switch {
	case len(text) == 0, at < b.indent:
		return true
	case !b.begun, at > b.indent, b.section:
		return false
	}
	return !bytes.ContainsAny(text[:1], "})]")
}

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t")) }

// fieldsOf gives the fields that a line's comment names, and whether the line is nothing but the comment.
func fieldsOf(line []byte) (fields []string, own bool) {
	at := bytes.LastIndex(line, []byte("# "))
	if at < 0 {
		return nil, false
	}
	m := named.FindSubmatch(bytes.TrimSpace(line[at+2:]))
	if m == nil {
		return nil, false
	}
	return separator.Split(string(m[1]), -1), at == indentOf(line)
}
