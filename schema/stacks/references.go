package stacks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// naming is a field of labels that names other labels' things.
type naming struct {
	kind, field string // whose it is, in lower case
	to          string // the kind of what it names
}

var namings = []naming{
	{"routers", "middlewares", middlewares},
	{"routers", "service", "services"},
	{"middlewares", "chain.middlewares", middlewares},
	{"middlewares", "errors.service", "services"},
}

// unmade are fields that name what Traefik takes from files alone: skep's own file has none, so there is what Traefik brings.
var unmade = []naming{
	{"routers", "tls.options", "default"},
	{"services", "loadbalancer.serverstransport", "default@internal"},
}

const middlewares = "middlewares"

// referred looks up what labels name, in the labels of all stacks and in Traefik's own file.
func (j *joiner) referred(stacks []*stack) {
	defined := map[string][]string{}
	for _, s := range stacks {
		for key := range s.labelled() {
			kind, name, _ := strings.Cut(key, " ")
			defined[kind] = append(defined[kind], name)
		}
		defined["services"] = append(defined["services"], s.nameless()...)
	}
	for _, names := range defined {
		slices.Sort(names)
	}
	for _, s := range stacks {
		for _, service := range s.services() {
			if service.Deploy == nil || !service.isRouted() {
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(service.Deploy.Labels)) {
				s.refers(service, key, defined)
			}
		}
	}
}

// nameless are the services that Traefik makes of those of the swarm which have a router and no label for a service.
func (s *stack) nameless() []string {
	var out []string
	for _, service := range s.services() {
		if service.Deploy != nil && service.isRouted() && !service.hasAny("services") {
			out = append(out, plainName(s.Name+"_"+service.name))
		}
	}
	return out
}

// plainName is a name as Traefik makes one of a service of the swarm: dashes for all that is neither letter nor digit.
func plainName(name string) string {
	isOther := func(r rune) bool { return !strings.ContainsRune(alphanumeric, r) }
	return strings.Join(strings.FieldsFunc(name, isOther), "-")
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// hasAny reports whether a label of the service makes something of a kind.
func (s service) hasAny(kind string) bool {
	for key := range s.Deploy.Labels {
		if m := ofHTTP.FindStringSubmatch(key); m != nil && strings.EqualFold(m[1], kind) {
			return true
		}
	}
	return false
}

// refers looks up what one label names.
func (s *stack) refers(service service, key string, defined map[string][]string) {
	m := ofHTTP.FindStringSubmatch(key)
	if m == nil {
		return
	}
	kind, field, at := strings.ToLower(m[1]), strings.ToLower(m[3]), service.path("deploy", "labels", key)
	value := service.Deploy.Labels[key]
	for _, r := range unmade {
		if r.kind == kind && r.field == field && value != r.to {
			s.at(finding.TraefikReference, at, value, "labels cannot define such, and Traefik here has none but %s: drop the label", r.to)
		}
	}
	for _, r := range namings {
		if r.kind != kind || r.field != field {
			continue
		}
		for _, name := range list(value) {
			if why := s.dangling(r.to, name, defined[r.to]); why != "" {
				s.at(referenceID(r.to), at, name, "%s", why)
			}
		}
	}
}

func referenceID(kind string) finding.ID {
	if kind == middlewares {
		return finding.TraefikMiddleware
	}
	return finding.TraefikReference
}

// dangling says why a name leads nowhere, or nothing.
func (s *stack) dangling(kind, name string, defined []string) string {
	plain, provider, _ := strings.Cut(name, "@")
	own := s.Rows.Middlewares.Names()
	isMiddleware := kind == middlewares
	switch {
	case provider == "internal":
		return ""
	case provider == "docker":
		return fmt.Sprintf("on a swarm the labels are those of the provider swarm, and the router would answer 404: write %s@swarm", plain)
	case provider == "file" && isMiddleware && slices.Contains(own, plain):
		return ""
	case provider == "file" && isMiddleware && slices.Contains(defined, plain):
		return fmt.Sprintf("labels define it, and Traefik's own file does not, so the router would answer 404: write %s@swarm", plain)
	case provider == "file" && isMiddleware:
		return fmt.Sprintf("Traefik's own file has no such middleware, and the router would answer 404: it has %s%s", strings.Join(own, ", "), written.DidYouMean(plain, own))
	case provider == "file":
		return "what is in Traefik's own file is for the pages of skep, which have logins there: name one of your labels"
	case provider != "" && provider != "swarm":
		return fmt.Sprintf("no provider of Traefik is called %s here: write %s@swarm for what labels define", provider, plain)
	case slices.Contains(defined, plain):
		return ""
	case isMiddleware && slices.Contains(own, plain):
		return fmt.Sprintf("no stack of the cluster defines it, and the router would answer 404: for that of Traefik's own file write %s@file", plain)
	}
	const lost = "no stack of the cluster defines it, and the router would answer 404"
	if near := written.Nearest(plain, own); isMiddleware && near != "" && written.Nearest(plain, defined) == "" {
		return lost + fmt.Sprintf("; did you mean %q?", near+"@file")
	}
	return lost + written.DidYouMean(plain, defined)
}
