package written

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
)

// Got writes what stands at a field, short and on one line; nothing stands at a field that the spec does not have.
func (t *Field) Got() string {
	if t == nil || len(t.Mentions) == 0 {
		return ""
	}
	p := t.Mentions[len(t.Mentions)-1]
	for _, q := range t.Mentions {
		if q.Certain && IsLiteral(q.Expr) {
			p = q
		}
	}
	return Shorten(p.Expr)
}

// Shorten writes an expression short and on one line.
func Shorten(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StructLit:
		return "{...}"
	case *ast.ListLit:
		return "[...]"
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return cut(e.Value)
		}
		s, err := literal.Unquote(e.Value)
		if err != nil {
			return cut(OneLine(e.Value))
		}
		return cut(strconv.Quote(s))
	}
	return cut(SourceText(e))
}

// cut keeps a value on a line of the terminal.
func cut(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && s[end]&0xc0 == 0x80 { // not within a rune
		end--
	}
	return s[:end] + "..."
}

// SourceText writes an expression on one line.
func SourceText(e ast.Expr) string {
	b, err := format.Node(e, format.Simplify())
	if err != nil {
		return ""
	}
	return OneLine(string(b))
}

// OneLine puts a text on one line.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Quoted quotes a name that would break the line it is printed on.
func Quoted(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}
