package schema

import (
	"strconv"
	"strings"
)

// SplitPath splits the path of a field, such as nodes.m1.labels."a.b", at its dots; a quoted element may hold some.
func SplitPath(path string) []string {
	var elements []string
	for path != "" {
		var head string
		if quoted, err := strconv.QuotedPrefix(path); err == nil && quoted[0] == '"' {
			path = strings.TrimPrefix(path[len(quoted):], ".")
			head, err = strconv.Unquote(quoted)
			if err != nil {
				head = quoted
			}
		} else {
			head, path, _ = strings.Cut(path, ".")
		}
		elements = append(elements, head)
	}
	return elements
}

// JoinPath is the inverse of SplitPath. An element that is no plain word is quoted, in ASCII: a look-alike shows.
func JoinPath(elements ...string) string {
	quoted := make([]string, len(elements))
	for i, e := range elements {
		quoted[i] = e
		if e == "" || strings.ContainsFunc(e, func(r rune) bool { return !isWord(r) }) {
			quoted[i] = strconv.QuoteToASCII(e)
		}
	}
	return strings.Join(quoted, ".")
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-#*", r)
}
