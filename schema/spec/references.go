package spec

import (
	"fmt"

	"cuelang.org/go/cue"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// references gives the fields of a cluster that name a node which there is not. It needs no more of the cluster than these
// fields and the names of the nodes: a mistake elsewhere does not hide them. Those that the spec does not set follow from
// others, and come only where no other mistake does.
func references(v cue.Value, s *written.Spec) (set, follow finding.List) {
	nodes := namesBelow(v.LookupPath(cue.ParsePath("nodes")))
	if len(nodes) == 0 {
		return nil, nil
	}
	is := map[string]bool{}
	for _, name := range nodes {
		is[name] = true
	}
	one := func(path string, v cue.Value) (found finding.List) {
		name, err := v.String()
		if err != nil || is[name] {
			return nil // or it is told elsewhere
		}
		f := finding.Finding{ID: finding.NotANode, Level: finding.Mistake, Path: path, Text: name + " is not a node" + written.DidYouMean(name, nodes)}
		f.File, f.Line, f.Column = s.Place(path)
		return finding.List{f}
	}
	for _, path := range namesBelow(v.LookupPath(cue.ParsePath("#references"))) {
		field := v.LookupPath(cue.ParsePath(path))
		found := one(path, field)
		if elements, err := field.List(); err == nil {
			for i := 0; elements.Next(); i++ {
				found = append(found, one(fmt.Sprintf("%s.%d", path, i), elements.Value())...)
			}
		}
		if s.Has(path) {
			set = append(set, found...)
		} else {
			follow = append(follow, found...)
		}
	}
	return set.Ordered(), follow.Ordered()
}

// namesBelow gives the names of a struct's fields.
func namesBelow(v cue.Value) []string {
	it, err := v.Fields()
	if err != nil {
		return nil
	}
	var names []string
	for it.Next() {
		names = append(names, it.Selector().Unquoted())
	}
	return names
}
