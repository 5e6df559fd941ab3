package mistakes

import (
	"slices"
	"strings"

	cueerrors "cuelang.org/go/cue/errors"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Syntax explains why a file cannot be parsed.
func Syntax(err error) finding.List {
	w := &explainer{spec: &written.Spec{}}
	for _, e := range cueerrors.Errors(err) {
		w.plain(e)
	}
	if len(w.list) == 0 {
		return finding.List{{ID: finding.Syntax, Level: finding.Mistake, Text: written.OneLine(err.Error())}}
	}
	return w.sorted()
}

// plain repeats what CUE says about the text of a file; its own messages are good there.
func (w *explainer) plain(e cueerrors.Error) {
	pos := e.Position()
	if !pos.IsValid() {
		for _, p := range e.InputPositions() {
			if written.IsOwn(p) {
				pos = p
				break
			}
		}
	}
	text := message(e)
	if whole := written.OneLine(e.Error()); strings.Contains(whole, "cannot find package ") {
		text, _, _ = strings.Cut(whole[strings.Index(whole, "cannot find package "):], ": ")
		text += "; the schema is \"" + schema.ImportPath + "\", and other packages must stand below cue.mod"
	}
	text = w.advise(specPath(e.Path()), text)
	if strings.HasPrefix(text, "imported and not used: \""+schema.ImportPath) {
		text += "; write cluster: schema.#Cluster, or drop the import"
	}
	if text == `builtin package "schema" undefined` {
		text = `want import "` + schema.ImportPath + `"`
	}
	id := finding.Syntax
	if isReference(text) {
		id = finding.UnresolvedReference
	}
	place := pos.Position()
	w.list = append(w.list, finding.Finding{ID: id, Level: finding.Mistake, File: place.Filename, Line: place.Line, Column: place.Column, Path: schema.JoinPath(specPath(plainPath(e))...), Text: text})
}

// isPlain reports whether an error is about the text of the user's files: a syntax error, a name that is not there.
func isPlain(e cueerrors.Error, path []string) bool {
	if !written.IsOwn(e.Position()) {
		return len(path) == 0
	}
	format, _ := e.Msg()
	return len(path) == 0 || isReference(format)
}

// isReference reports whether a message of CUE is about a name that leads nowhere.
func isReference(text string) bool {
	return slices.ContainsFunc([]string{"reference ", "imported and not used", "undefined field", "cannot find package"}, func(begin string) bool {
		return strings.HasPrefix(text, begin)
	})
}

// plainPath gives the path of an error unless it is that of a package.
func plainPath(e cueerrors.Error) []string {
	path := e.Path()
	if len(path) > 0 && (strings.ContainsAny(path[0], "@/") || slices.ContainsFunc(path, func(e string) bool { return strings.HasPrefix(e, "let[") })) {
		return nil
	}
	return path
}
