package schema

import (
	"path/filepath"
	"strings"
)

// Origin says what the files of a spec are copies of, such as a revision of git that was written to disk: messages then
// name what the reader knows. The zero Origin is the files themselves.
type Origin struct {
	Copy string                   // the directory that holds the copies, absolute
	Name func(path string) string // of a file, by its path below Copy with slashes
}

// names gives files the names that messages use.
type names struct {
	wd string
	Origin
}

func newNames(o Origin) names { return names{workingDir(), o} }

// of gives a file's name as the user would type it.
func (n names) of(file string) string {
	if n.Copy != "" && file != "" {
		abs, err := filepath.Abs(file)
		if err == nil {
			file = abs
		}
		if rel, err := filepath.Rel(n.Copy, file); err == nil && filepath.IsLocal(rel) {
			return oneLine(n.Name(filepath.ToSlash(rel)))
		}
	}
	return relativeTo(n.wd, file)
}

// text gives a message with the names of files in the place of their copies'.
func (n names) text(s string) string {
	if n.Copy == "" {
		return s
	}
	parts := strings.Split(s, n.Copy+string(filepath.Separator))
	out := parts[0]
	for _, part := range parts[1:] {
		end := strings.IndexAny(part, " ,;:()\"'")
		if end < 0 {
			end = len(part)
		}
		out += n.Name(filepath.ToSlash(part[:end])) + part[end:]
	}
	return out
}

// input renames what an InputError is about.
func (n names) input(e *InputError) *InputError {
	if n.Copy == "" {
		return e
	}
	return &InputError{Path: n.of(e.Path), Text: n.text(e.Text), Err: e.Err}
}
