package lsp

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// document is a file that is open in the editor; its text there is the one that counts.
type document struct {
	uri     string
	version int
	text    []byte
	spec    string // that it is part of, or ""
}

// take has a document that was opened or changed.
func (s *server) take(uri string, version int, text string) {
	path := pathOf(uri)
	if path == "" {
		return
	}
	d := &document{uri: uri, version: version, text: []byte(text)}
	if before := s.documents[path]; before != nil {
		d.spec = before.spec // also while half of it is written
	}
	s.documents[path] = d
	s.recheck()
}

// drop forgets a document that was closed: the file on disk counts again. What was said about a spec goes with the last of its
// documents.
func (s *server) drop(uri string) error {
	path := pathOf(uri)
	d := s.documents[path]
	if d == nil {
		return nil
	}
	delete(s.documents, path)
	s.recheck()
	if d.spec == "" || s.isOpen(d.spec) {
		return nil
	}
	delete(s.due, d.spec)
	return s.show(d.spec, nil)
}

// isOpen reports whether a document of a spec is open.
func (s *server) isOpen(spec string) bool {
	for _, d := range s.documents {
		if d.spec == spec {
			return true
		}
	}
	return false
}

// recheck has every spec that is open looked at again, once nobody has typed for a moment: any file may be part of each.
func (s *server) recheck() {
	for path, d := range s.documents {
		if d.spec == "" {
			d.spec = s.specOf(path)
		}
		if d.spec != "" {
			s.due[d.spec] = true
		}
	}
	s.timer.Reset(pause)
}

// texts are those of all documents, by file.
func (s *server) texts() map[string][]byte {
	texts := map[string][]byte{}
	for path, d := range s.documents {
		texts[path] = d.text
	}
	return texts
}

// What tells a spec from other files: the import of the schema in CUE; in data two fields that no other kind of file has
// together, or the name of skep's JSON Schema.
var (
	imports  = regexp.MustCompile(`"skep\.dev/schema(@v[0-9]+)?"`)
	hasNodes = regexp.MustCompile(`(?m)^\s*"?nodes"?\s*:`)
	hasMore  = regexp.MustCompile(`(?m)^\s*"?(access|kind)"?\s*:`)
	named    = regexp.MustCompile(`\$schema[=":\s]+\S*skep\.schema\.json`)
)

// specOf is the spec that a file is part of: itself, or in CUE its directory; "" for a file of another kind.
func (s *server) specOf(path string) string {
	text := s.documents[path].text
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		if hasNodes.Match(text) && hasMore.Match(text) || named.Match(text) {
			return path
		}
	case ".cue":
		dir := filepath.Dir(path)
		if strings.Contains(filepath.ToSlash(path), "/cue.mod/") {
			return ""
		}
		for _, file := range s.beside(dir) {
			if text, err := s.read(file); err == nil && imports.Match(text) {
				return dir
			}
		}
	}
	return ""
}

// beside are the CUE files of a directory, on disk or open.
func (s *server) beside(dir string) []string {
	found := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(escaped.Replace(dir), "*.cue"))
	for _, f := range files {
		found[f] = true
	}
	for path := range s.documents {
		if filepath.Dir(path) == dir && filepath.Ext(path) == ".cue" {
			found[path] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// escaped keeps the signs of a directory's name from being a pattern.
var escaped = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// read gives the text of a file as the editor has it.
func (s *server) read(path string) ([]byte, error) {
	if d := s.documents[path]; d != nil {
		return d.text, nil
	}
	return os.ReadFile(path)
}
