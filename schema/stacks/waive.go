package stacks

import (
	"maps"
	"slices"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// waivable are the mistakes that somebody may accept: the stack will not do all that its file says, and nothing is opened,
// lost or shown by that.
var waivable = []finding.ID{
	finding.IgnoredKey, finding.NetworkFull, finding.RouteOwn, finding.RouteTaken, finding.TraefikLabel, finding.TraefikLabelLevel, finding.TraefikMiddleware, finding.TraefikName,
	finding.TraefikMissing, finding.TraefikNetwork, finding.TraefikOff, finding.TraefikPoint, finding.TraefikPort, finding.TraefikReference, finding.TraefikRule, finding.TraefikV1,
}

// isWaived reports whether the spec accepts a finding, and remembers that it has been asked for.
func (s *stack) isWaived(id finding.ID, path []string) bool {
	w, ok := s.Waive[string(id)]
	if !ok || finding.LevelOf(id) == finding.Mistake && !slices.Contains(waivable, id) {
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
	known := map[string]finding.Level{}
	for _, k := range finding.Kinds() {
		known[string(k.ID)] = k.Level
	}
	for _, id := range slices.Sorted(maps.Keys(s.Waive)) {
		field := s.Field("waive", id)
		level, ok := known[id]
		switch {
		case !ok:
			s.field(finding.WaiverUnknown, field, "is not the ID of a finding"+written.DidYouMean(id, slices.Sorted(maps.Keys(known))))
		case level == finding.Mistake && !slices.Contains(waivable, finding.ID(id)):
			s.field(finding.WaiverUnknown, field, "cannot be waived: do what the finding says, and remove the waiver")
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
