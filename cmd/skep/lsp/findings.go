package lsp

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"skep.dev/schema/finding"
	"skep.dev/schema/finding/forge"
	"skep.dev/schema/fix"
)

// verdict is what was found in a spec, and the texts that were open then.
type verdict struct {
	spec  string
	texts map[string][]byte
	found finding.List
	err   error
}

// told is a finding as the editor shows it, and the edit that it asks for.
type told struct {
	diagnostic
	text []byte // of its file, when it was found
	edit *fix.Edit
}

// check begins with a spec that is due. One at a time is checked: those that are due wait for it.
func (s *server) check() {
	if s.busy || len(s.due) == 0 {
		return
	}
	spec := slices.Sorted(maps.Keys(s.due))[0]
	delete(s.due, spec)
	s.busy = true
	v := verdict{spec: spec, texts: s.texts()}
	go func() {
		v.found, v.err = s.Find(v.spec, v.texts)
		s.checked <- v
	}()
}

// conclude shows what was found, unless the spec has changed meanwhile.
func (s *server) conclude(v verdict) error {
	s.busy = false
	defer s.check()
	if s.due[v.spec] || !s.isOpen(v.spec) {
		return nil
	}
	if v.err != nil {
		v.found = finding.List{{Level: finding.Mistake, Text: v.err.Error()}}
	}
	results, err := forge.Results(v.found, func(name string) (forge.File, error) {
		path, text := s.placed(v, name)
		return forge.File{Path: path, Text: text}, nil
	})
	if err != nil {
		return err
	}
	shown := map[string][]told{}
	for i, r := range results {
		_, text := s.placed(v, v.found[i].File)
		t := told{text: text, diagnostic: diagnostic{
			Range:    span{position{r.Line - 1, r.Column - 1}, position{r.Line - 1, r.EndColumn - 1}},
			Severity: isError, Code: string(r.ID), Source: "skep", Message: r.Says(),
		}}
		if r.Level == finding.Warning {
			t.Severity = isWarning
		}
		if e, ok := fix.Of(v.found[i], text); ok {
			t.edit = &e
		}
		shown[r.File] = append(shown[r.File], t)
	}
	return s.show(v.spec, shown)
}

// placed is the file that a finding is shown in, with the text that it was found in: the one it names, or else a document of the
// spec that is open.
func (s *server) placed(v verdict, name string) (path string, text []byte) {
	if name != "" {
		if path, err := filepath.Abs(name); err == nil {
			if text, ok := v.texts[path]; ok {
				return path, text
			}
			if text, err := os.ReadFile(path); err == nil {
				return path, text
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.documents)) {
		if s.documents[path].spec == v.spec {
			return path, s.documents[path].text
		}
	}
	return v.spec, nil
}

// show tells the editor what stands in the files of a spec now. A file that had findings, and has none, is told so.
func (s *server) show(spec string, shown map[string][]told) error {
	files := map[string]bool{}
	for file := range s.shown[spec] {
		files[file] = true
	}
	for file := range shown {
		files[file] = true
	}
	s.shown[spec] = shown
	if shown == nil {
		delete(s.shown, spec)
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		p := publishDiagnostics{URI: uriOf(file), Diagnostics: []diagnostic{}}
		if d := s.documents[file]; d != nil {
			p.URI, p.Version = d.uri, d.version
		}
		for _, t := range s.toldIn(file) {
			p.Diagnostics = append(p.Diagnostics, t.diagnostic)
		}
		if err := s.tell("textDocument/publishDiagnostics", p); err != nil {
			return err
		}
	}
	return nil
}

// toldIn is all that is shown in a file, which may be part of several specs.
func (s *server) toldIn(file string) []told {
	var all []told
	for _, spec := range slices.Sorted(maps.Keys(s.shown)) {
		for _, t := range s.shown[spec][file] {
			if !slices.ContainsFunc(all, func(o told) bool { return o.diagnostic == t.diagnostic }) {
				all = append(all, t)
			}
		}
	}
	return all
}

// hover tells about the field at a place.
func (s *server) hover(p documentParams) (h hover, ok bool) {
	path := pathOf(p.TextDocument.URI)
	d := s.documents[path]
	if d == nil || d.spec == "" {
		return h, false
	}
	at, ok := fieldAt(path, d.text, offsetOf(d.text, p.Position))
	if !ok {
		return h, false
	}
	text, err := s.Tell(at.path)
	if err != nil {
		return h, false
	}
	return hover{markup{"plaintext", strings.TrimSpace(text)}, span{positionOf(d.text, at.start), positionOf(d.text, at.end)}}, true
}

// actions are the edits that findings in a part of a document ask for, where its text is still the one that they are about.
func (s *server) actions(p documentParams) []codeAction {
	actions := []codeAction{}
	path := pathOf(p.TextDocument.URI)
	d := s.documents[path]
	if d == nil {
		return actions
	}
	for _, t := range s.toldIn(path) {
		if t.edit == nil || !t.Range.meets(p.Range) || string(t.text) != string(d.text) {
			continue
		}
		at := span{positionOf(d.text, t.edit.Start), positionOf(d.text, t.edit.End)}
		actions = append(actions, codeAction{
			Title: "write " + t.edit.Text, Kind: quickFix, Diagnostics: []diagnostic{t.diagnostic}, IsPreferred: true,
			Edit: workspaceEdit{map[string][]textEdit{d.uri: {{at, t.edit.Text}}}},
		})
	}
	return actions
}
