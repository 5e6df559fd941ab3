package stacks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// secrets adds a row for each secret of the Compose files. Its value is in no file.
func (s *stack) secrets() {
	for _, name := range s.project.Order["secrets"] {
		config, ok := s.project.Secrets[name]
		if !ok {
			continue
		}
		said, ok := s.Secrets[name]
		at := []string{"secrets", name}
		paste := fmt.Sprintf("add stacks: %s: secrets: %s: {}", label(s.Name), label(name))
		switch {
		case !ok && (config.File != "" || config.Environment != "" || config.Content != ""):
			s.at(finding.SecretFromFile, at, "", "a secret's value may not stand in the bundle: %s, which has the runbook ask for it", paste)
		case !ok:
			s.at(finding.SecretUndeclared, at, "", "nothing says where its value comes from: %s, which has the runbook ask for it, or with {external: \"%s\"} for one that is in the swarm already", paste, external(config.Name, name))
		case said.External == "":
			row := schema.Secret{
				Name: s.SecretName(name), Revision: said.Revision, Make: said.Make,
				Why: orWords(said.Why, s.Name+" "+name), Field: s.Field("secrets", name),
			}
			if n := len(row.Object()); n > longestName {
				s.field(finding.WrongValue, row.Field, fmt.Sprintf("its name in the swarm, %s, would have %d characters, and at most %d are allowed: choose a shorter one in the Compose files", row.Object(), n, longestName))
			}
			s.Cluster.Secrets = append(s.Cluster.Secrets, row)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		field := s.Field("secrets", name)
		if _, ok := s.project.Secrets[name]; !ok {
			s.field(finding.UnusedName, field, "is not a secret of its Compose files"+written.DidYouMean(name, s.project.SecretNames()))
		}
		if theirs := s.Secrets[name].External; theirs != "" && slices.ContainsFunc(s.Cluster.Secrets, func(c schema.Secret) bool { return c.Object() == theirs }) {
			s.field(finding.OwnObject, field+".external", "is a secret that the runbook makes for somebody else: an application gets one of its own")
		}
		if s.Secrets[name].External != "" && (s.spec.Has(field+".make") || s.spec.Has(field+".revision")) {
			s.field(finding.FieldsDisagree, field+".external", "is somebody else's: drop make and revision, or drop external")
		}
	}
	slices.SortStableFunc(s.Cluster.Secrets, func(a, b schema.Secret) int { return strings.Compare(a.Name, b.Name) })
}

// longestName is Docker's limit for the name of a secret.
const longestName = 64

func external(name, key string) string {
	if name != "" {
		return name
	}
	return key
}

func orWords(said, other string) string {
	if said != "" {
		return said
	}
	return words(other)
}
