package stacks

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// configs finds external ones that the spec does not know, and those that are not for others.
func (s *stack) configs() {
	for _, name := range s.project.Order["configs"] {
		config, ok := s.project.Configs[name]
		if _, said := s.Configs[name]; said || !ok || !bool(config.External) {
			continue
		}
		s.at(finding.ConfigUndeclared, []string{"configs", name}, "", "is external, and nothing says which one it is: add stacks: %s: configs: %s: external: \"%s\", and the runbook looks for it before the deploy",
			label(s.Name), label(name), external(config.Name, name))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Configs)) {
		field := s.Field("configs", name)
		switch config, ok := s.project.Configs[name]; {
		case !ok:
			s.field(finding.UnusedName, field, "is not a config of its Compose files"+written.DidYouMean(name, slices.Sorted(maps.Keys(s.project.Configs))))
		case !bool(config.External):
			s.field(finding.FieldsDisagree, field, "the Compose file has its content: write external: true there, or drop the field")
		}
		if of := s.configOf(s.Configs[name].External); of != "" {
			s.field(finding.OwnObject, field+".external", "is a config of the stack "+of+", whose name changes with its content: take the content from a file below the spec's directory")
		}
	}
}

// configOf is the stack of the spec whose file makes a config of that name, or "".
func (j *joiner) configOf(object string) string {
	for _, of := range append(j.Rows.Deploys.Names(), j.Stacks.Names()...) {
		if rest, ok := strings.CutPrefix(object, of+"-"); ok && contentHash.MatchString(rest) {
			return of
		}
	}
	return ""
}

// contentHash ends the name of a config that a stack file makes, behind the config's own.
var contentHash = regexp.MustCompile(`^.+-[0-9a-f]{12}$`)
