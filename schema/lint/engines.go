package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
)

// engines finds a range that the distributions' own packages do not meet.
func (l *linter) engines() {
	v := l.Engine.Versions
	if l.Engine.Source != "debian" {
		return
	}
	var there []string
	for _, release := range slices.Sorted(maps.Keys(l.Rows.Packaged)) {
		version := l.Rows.Packaged[release]
		if v.Has(schema.ParseVersion(version)) {
			return
		}
		there = append(there, version+" in "+release)
	}
	l.add("engine-package", l.spec.FirstOf("engine.versions.from", "engine.versions.below", "engine.source"),
		fmt.Sprintf("no docker.io is from %s up to, not with, %s: it is %s; want engine.source \"present\", and an engine that you install", v.From, v.Below, strings.Join(there, ", ")))
}
