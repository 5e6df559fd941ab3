package schema

import (
	"cmp"
	"slices"

	"cuelang.org/go/cue"
	cueerrors "cuelang.org/go/cue/errors"
)

type rewriter struct {
	source *sourceMap
	list   Mistakes
}

func newRewriter(s *sourceMap) *rewriter {
	if s == nil {
		s = &sourceMap{wd: workingDir()}
	}
	return &rewriter{source: s}
}

func (w *rewriter) plain(e cueerrors.Error) {
	pos := e.Position().Position()
	w.list = append(w.list, Mistake{File: w.source.relative(pos.Filename), Line: pos.Line, Column: pos.Column, Path: joinPath(e.Path()), Rule: e.Error()})
}

func (w *rewriter) sorted() Mistakes {
	slices.SortStableFunc(w.list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(w.list)
}

func (r *reader) mistakes(err error) Mistakes {
	w := newRewriter(r.source)
	for _, e := range cueerrors.Errors(err) {
		w.plain(e)
	}
	return w.sorted()
}

func fieldNames(v cue.Value) map[string]bool {
	names := map[string]bool{}
	it, err := v.Fields(cue.Optional(true))
	if err != nil {
		return names
	}
	for it.Next() {
		names[it.Selector().Unquoted()] = true
	}
	return names
}
