package stacks

import (
	"maps"
	"slices"

	"skep.dev/schema/finding"
	"skep.dev/schema/waive"
	"skep.dev/schema/written"
)

// isWaived reports whether the spec accepts a finding, and remembers that it has been asked for.
func (s *stack) isWaived(id finding.ID, path []string) bool {
	w, ok := s.Waive[string(id)]
	if !ok || waive.Fault(string(id)) != "" {
		return false
	}
	if len(w.Services) > 0 && (len(path) < 2 || path[0] != "services" || !slices.Contains(w.Services, path[1])) {
		return false
	}
	s.waived[string(id)] = true
	return true
}

// waivers finds those that hold for nothing.
func (s *stack) waivers() {
	for _, id := range slices.Sorted(maps.Keys(s.Waive)) {
		field := s.Field("waive", id)
		switch fault := waive.Fault(id); {
		case fault != "":
			s.field(finding.WaiverUnknown, field, fault)
		case !s.waived[id]:
			s.warn(finding.WaiverUnused, field, "holds for nothing: remove it")
		}
		for _, name := range s.Waive[id].Services {
			if _, ok := s.project.Services[name]; !ok {
				s.field(finding.UnusedName, field+".services", name+" is not a service of the stack"+written.DidYouMean(name, s.project.ServiceNames()))
			}
		}
	}
}
