package compose

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/finding"
)

// environment folds env_file into a service's environment, as docker stack deploy does, and gives variables without a value
// those of the spec.
func (r *reader) environment(p *Project, name string, s *types.ServiceConfig) {
	environment := types.MappingWithEquals{}
	from := map[string]origin{}
	for i, f := range s.EnvFiles {
		path := []string{"services", name, "env_file", fmt.Sprint(i)}
		by := origin{p.places.find(p.Project, path), dotted(path)}
		full, ok := r.inside(p.places.dir, f.Path, by)
		if !ok {
			continue
		}
		if _, err := r.follow(full); err != nil && !bool(f.Required) {
			continue
		}
		if text, ok := r.contents(full, maxFileBytes, by); ok {
			r.lines(full, text, environment, from)
		}
	}
	s.EnvFiles = nil
	for _, key := range slices.Sorted(maps.Keys(s.Environment)) {
		environment[key] = s.Environment[key]
		delete(from, key)
	}
	for _, key := range slices.Sorted(maps.Keys(environment)) {
		if environment[key] != nil {
			continue
		}
		r.used[key] = true
		if value, ok := r.request.Values[key]; ok {
			environment[key] = &value
			continue
		}
		by, ok := from[key]
		if path := []string{"services", name, "environment", key}; !ok && !r.full() {
			by = origin{p.places.find(p.Project, path), dotted(path)}
		}
		if nameAt(key) == key {
			r.want(&r.wants.Values, key, key, by.at)
		}
		r.say(finding.EnvFromDeployer, by.at, by.path, "",
			fmt.Sprintf("would come from the machine that deploys: %s", r.wayOut(key)))
	}
	for key, by := range from {
		p.places.lines[dotted([]string{"services", name, "environment", key})] = by.at
	}
	if len(environment) > 0 {
		s.Environment = environment
	}
}

// wayOut of a variable without a value.
func (r *reader) wayOut(key string) string {
	if name, value, ok := strings.Cut(key, ":"); ok {
		return fmt.Sprintf("write %s=%s, with an equals sign", name, strings.TrimSpace(value))
	}
	if IsSecretName(key) {
		return secretWay(r.request.Name, key, key)
	}
	return fmt.Sprintf("add stacks: %s: values: %s: \"...\", or write %s=...", finding.Label(r.request.Name), key, key)
}

// lines reads an env_file as docker stack deploy does: what follows the first = is the value, with quotes and all.
func (r *reader) lines(name string, text []byte, environment types.MappingWithEquals, from map[string]origin) {
	if !r.readable(name, text) {
		return
	}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		number++
		at := place{name, number, 1}
		written := strings.TrimLeft(strings.TrimRight(string(line), "\r\n"), " \t")
		if written == "" || written[0] == '#' {
			continue
		}
		if r.nodes--; r.nodes < 0 {
			r.say(finding.TooBig, at, "", "", fmt.Sprintf("with its variables counted for each service, the stack has more than %d values: split it", r.most))
			return
		}
		key, value, given := strings.Cut(written, "=")
		switch {
		case key == "" || strings.ContainsAny(key, " \t"):
			r.say(finding.Syntax, at, "", quoted(cut(key)), "want NAME=value in an env_file, without blanks in the name")
			continue
		case len(value) > maxText:
			r.say(finding.TooBig, at, key, "", fmt.Sprintf("has more than the %d KiB that a value may have", maxText>>10))
			continue
		case readDifferently(value):
			r.say(finding.EnvFileReading, at, key, "", "docker stack deploy takes quotes, $ and what follows # as a part of the value, docker compose does not: write the value as the container should see it")
		}
		environment[key] = nil
		if given {
			environment[key] = &value
		}
		from[key] = origin{at, key}
	}
}

// readDifferently reports whether Compose would read another value.
func readDifferently(value string) bool {
	quotes := len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
	return quotes || strings.Contains(value, " #") || strings.Contains(value, "${") || value != strings.TrimSpace(value)
}
