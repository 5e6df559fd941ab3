package mistakes

import (
	"strconv"
	"strings"
)

// opening is a bracket that is open.
type opening struct {
	bracket      byte
	line, column int
	indent       string
}

// unmatched finds a bracket without its other half. One that begins a line and is indented otherwise than the line of what it
// closes is of another one: that, or the last one before, has no other half.
func unmatched(lines []string) (line, column int, text string) {
	closers := map[byte]byte{'{': '}', '[': ']', '(': ')'}
	var open []opening
	for i, whole := range lines {
		bare := blank(whole)
		indent := bare[:len(bare)-len(strings.TrimLeft(bare, " \t"))]
		for at := range len(bare) {
			switch c := bare[at]; c {
			case '{', '[', '(':
				open = append(open, opening{c, i + 1, at + 1, indent})
			case '}', ']', ')':
				if len(open) == 0 {
					return i + 1, at + 1, "this '" + string(c) + "' closes nothing"
				}
				last := open[len(open)-1]
				if closers[last.bracket] != c || at == len(indent) && len(indent) < len(last.indent) {
					return last.line, last.column, "this '" + string(last.bracket) + "' is not closed"
				}
				if at == len(indent) && len(indent) > len(last.indent) {
					return i + 1, at + 1, "this '" + string(c) + "' closes what line " + strconv.Itoa(last.line) + " opens, or there is one too many above"
				}
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) > 0 {
		last := open[len(open)-1]
		return last.line, last.column, "this '" + string(last.bracket) + "' is not closed"
	}
	return 0, 0, ""
}
