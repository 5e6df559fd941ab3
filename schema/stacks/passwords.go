package stacks

import (
	"maps"
	"slices"
	"strings"

	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
)

// known are passwords that are no secret: those of examples, and of programs as they come.
var known = []string{
	"admin", "changeit", "changeme", "change_me", "change-me", "default", "demo", "example", "guest", "letmein", "minioadmin", "mysecretpassword",
	"myp@ssw0rd", "p@ssw0rd", "pass", "passw0rd", "password", "postgres", "qwerty", "root", "s3cr3t", "secret", "secretpassword", "supersecret", "test",
	"toor", "user", "123456", "12345678",
}

// passwords finds secrets that stand where everybody reads them: in the bundle, and in docker service inspect.
func (s *stack) passwords() {
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		if compose.IsSecretName(name) {
			s.field(finding.SecretValue, s.Field("values", name), "looks like a secret, and would stand in the bundle: add stacks: "+label(s.Name)+": secrets: ..., and have the service read it from a file, as many images do with "+name+"_FILE")
		}
	}
	var first, names []string
	for _, service := range s.services() {
		for _, name := range slices.Sorted(maps.Keys(service.Environment)) {
			value := service.Environment[name]
			if value == nil || *value == "" || !compose.IsSecretName(name) || strings.HasPrefix(*value, "/run/secrets/") {
				continue
			}
			at := service.path("environment", name)
			if slices.Contains(known, strings.ToLower(*value)) {
				s.at(finding.KnownPassword, at, "", "is a password that everybody knows: add stacks: %s: secrets: %s: make: \"password\", and have the service read it with %s_FILE", label(s.Name), label(strings.ToLower(name)), name)
				continue
			}
			if first == nil {
				first = at
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if first != nil {
		s.at(finding.SecretEnvironment, first, "", "%s stand in the bundle, and whoever may ask the engine reads them: use a secret, and %s_FILE where the image knows it", finding.Several(names), names[0])
	}
}
