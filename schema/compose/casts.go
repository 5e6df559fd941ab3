package compose

import (
	"fmt"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/finding"
)

// casts are the fields that are numbers and booleans even when they are written as texts, by their last name: compose-go's
// own search among them takes a fifth of its time.
var casts = sync.OnceValue(func() map[string]map[tree.Path]interpolation.Cast {
	out := map[string]map[tree.Path]interpolation.Cast{}
	for pattern, cast := range loader.ToOptions(&types.ConfigDetails{}, nil).Interpolate.TypeCastMapping {
		last := pattern.Last()
		if out[last] == nil {
			out[last] = map[tree.Path]interpolation.Cast{}
		}
		out[last][pattern] = cast
	}
	return out
})

// cast makes a number or boolean of a text where the field is one.
func (r *reader) cast(n *node, path []string) {
	for _, last := range []string{path[len(path)-1], tree.PathMatchAll} {
		for pattern, cast := range casts()[last] {
			if !matches(path, pattern.Parts()) {
				continue
			}
			value, err := cast(truth(n.text))
			if err != nil {
				r.say(finding.ComposeRule, n.at, dotted(path), quoted(n.text), reworded(err.Error()))
				return
			}
			n.text, n.bare = fmt.Sprint(value), true
			return
		}
	}
}

func matches(path, pattern []string) bool {
	if len(path) != len(pattern) {
		return false
	}
	for i, p := range pattern {
		if p != tree.PathMatchAll && p != tree.PathMatchList && p != path[i] {
			return false
		}
	}
	return true
}

// truth is a boolean's word of YAML 1.1 in that of today; compose-go writes to stderr about the others.
func truth(s string) string {
	switch strings.ToLower(s) {
	case "y", "yes", "on":
		return "true"
	case "n", "no", "off":
		return "false"
	}
	return s
}
