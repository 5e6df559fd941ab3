package compose

import (
	"maps"
	"slices"
)

// Keys are those that the files write at a mapping, such as ("services", "web"), sorted: after merging, and with those of
// services that it extends.
func (p *Project) Keys(path ...string) []string {
	keep := map[string]bool{}
	for _, l := range p.places.layers(path) { // what counts most comes first
		n := l.node
		for _, name := range l.path {
			if n = n.get(name); n == nil {
				break
			}
		}
		if n == nil {
			continue
		}
		for _, e := range n.entries {
			if _, known := keep[e.key]; !known {
				keep[e.key] = e.value.tag != "!reset"
			}
		}
	}
	maps.DeleteFunc(keep, func(_ string, kept bool) bool { return !kept })
	return slices.Sorted(maps.Keys(keep))
}
