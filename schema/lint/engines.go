package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
)

// engines finds a range whose engines are known for something, and one that no distribution's own package meets.
func (l *linter) engines() {
	v := l.Engine.Versions
	forgers := false
	for _, f := range l.Rows.Engines {
		switch {
		case f.Vet == "part":
			forgers = forgers || f.Range().Meets(v)
		case f.Of == "pairs" || f.Of == "upstream" && l.Engine.Source == "debian":
		case f.Range().Holds(v):
			l.add("engine-known", l.rangeField(), fmt.Sprintf("each engine from %s up to, not with, %s %s; way out: %s", v.From, v.Below, f.What, f.Way))
		}
	}
	if forgers {
		l.add("encrypted-engine", l.spec.FirstOf("engine.versions.from", "network.public.encrypted"),
			fmt.Sprintf("engines before 20.10.24, and 23.0 before 23.0.3, may send encrypted overlays in the clear, and engine.versions.from is %s; want 23.0.3 or later", v.From))
	}
	l.packaged()
}

func (l *linter) packaged() {
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
	l.add("engine-package", l.rangeField(),
		fmt.Sprintf("no docker.io is from %s up to, not with, %s: it is %s; want engine.source \"present\", and an engine that you install", v.From, v.Below, strings.Join(there, ", ")))
}

// rangeField is where the spec decides the range.
func (l *linter) rangeField() string {
	return l.spec.FirstOf("engine.versions.from", "engine.versions.below", "engine.source")
}
