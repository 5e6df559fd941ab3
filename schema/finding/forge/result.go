package forge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf16"

	"skep.dev/schema/finding"
)

// Result is a finding as forges want it: its file by the path from the top of the repository, and its columns, from one to
// behind the value, counted in UTF-16 units.
type Result struct {
	finding.Finding
	EndColumn   int
	Fingerprint string // stays when lines move, and is another one for each result
}

// File is what a forge has to know of a file: its path from the top of the repository, and its text, or nil.
type File struct {
	Path string
	Text []byte
}

// Results places findings. look is asked once for each file; its error is returned.
func Results(found finding.List, look func(name string) (File, error)) ([]Result, error) {
	type known struct {
		path  string
		lines [][]byte
	}
	files := map[string]known{}
	equals := map[string]int{}
	results := make([]Result, 0, len(found))
	for _, f := range found {
		file, ok := files[f.File]
		if !ok {
			seen, err := look(f.File)
			if err != nil {
				return nil, err
			}
			file = known{seen.Path, bytes.Split(seen.Text, []byte("\n"))}
			files[f.File] = file
		}
		r := Result{Finding: f}
		r.File, r.Line, r.Column, r.EndColumn = file.path, max(f.Line, 1), 1, 1
		if f.Line > 0 && f.Line <= len(file.lines) {
			r.Column, r.EndColumn = columns(bytes.TrimRight(file.lines[f.Line-1], "\r"), f)
		}
		what := fmt.Sprintf("%s\x00%s\x00%s", f.ID, file.path, f.Path)
		r.Fingerprint = digest(fmt.Sprintf("%s\x00%d", what, equals[what]))
		equals[what]++
		results = append(results, r)
	}
	return results, nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// columns gives the place of a finding in its line: where its value begins, and where it ends.
func columns(line []byte, f finding.Finding) (first, end int) {
	at := min(max(f.Column-1, 0), len(line))
	rest := line[at:]
	size := len(f.Got)
	if f.Got == "" || !bytes.HasPrefix(rest, []byte(f.Got)) {
		size = token(rest)
	}
	first = units(line[:at]) + 1
	return first, first + units(rest[:size])
}

// token is the length of what stands first in a line: a text in quotes, or what reaches to the next sign or blank.
func token(line []byte) int {
	if len(line) > 0 && bytes.IndexByte([]byte("\"'`"), line[0]) >= 0 {
		for i := 1; i < len(line); i++ {
			switch {
			case line[i] == '\\' && line[0] == '"':
				i++
			case line[i] == line[0]:
				return i + 1
			}
		}
	}
	if end := bytes.IndexAny(line, " \t,:{}[]#"); end > 0 {
		return end
	}
	return len(line)
}

// units counts UTF-16 units.
func units(text []byte) int {
	n := 0
	for _, r := range string(text) {
		n += utf16.RuneLen(r)
	}
	return n
}
