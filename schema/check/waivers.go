package check

import (
	"maps"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/waive"
)

// waivers refuses those of what nobody may accept.
func (k *checker) waivers() {
	for _, id := range slices.Sorted(maps.Keys(k.Waive)) {
		if fault := waive.SpecFault(id); fault != "" {
			k.add(finding.WaiverUnknown, schema.JoinPath("waive", id), "%s", fault)
		}
	}
}
