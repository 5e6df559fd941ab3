package stacks

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// ownPages are those of skep's own that answer behind the entry points of applications: below a path, or at a host of their own.
func (j *joiner) ownPages() []schema.Page {
	return slices.DeleteFunc(slices.Clone(j.Rows.Pages), func(p schema.Page) bool { return p.Host == "" && pagePath(p) == "" })
}

// pagePath is the path of a page at https://DOMAIN/, without the last /; a page with a port of its own has none here.
func pagePath(p schema.Page) string {
	u, err := url.Parse(p.URL)
	if err != nil || p.Node != "" || u.Scheme != "https" || u.Port() != "" {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// hidden finds routers whose visitors skep's own pages get: no label comes before these.
func (s *stack) hidden(r *route, pages []schema.Page) {
	names := hosts(r.found)
	for _, p := range pages {
		path := pagePath(p)
		switch {
		case p.Host != "" && slices.Contains(names, p.Host):
			s.at(finding.RouteOwn, r.at("rule"), r.fields["rule"], "%s is the host of %s, which gets all its visitors: choose another host", p.Host, p.Name)
			return
		case path != "" && isBelow(r.found, path) && meetOwn(names, s.PageNames()):
			s.at(finding.RouteOwn, r.at("rule"), r.fields["rule"], "%s is the path of %s at this host, which gets all its visitors: choose another path, or a host that is not in certificates.names", path, p.Name)
			return
		}
	}
}

// meetOwn reports whether a router with these hosts, or with none, hears a host of skep's own.
func meetOwn(names, own []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(own, name) })
}

// isBelow reports whether a rule wants a path that is one, or lies below it.
func isBelow(found []matcher, path string) bool {
	return slices.ContainsFunc(found, func(m matcher) bool {
		return (m.name == "Path" || m.name == "PathPrefix") && !m.not && (m.args[0] == path || strings.HasPrefix(m.args[0], path+"/"))
	})
}

// labelled is a router, service or middleware that the labels of a service make.
type labelled struct {
	stack  *stack
	at     []string // its first label
	fields string   // all that its labels say
}

// shared finds what two stacks call by one name: Traefik knows names, and not whose they are.
func (j *joiner) shared(stacks []*stack) {
	first := map[string]labelled{}
	for _, s := range stacks {
		mine := s.labelled()
		for _, key := range slices.Sorted(maps.Keys(mine)) {
			other, taken := first[key]
			if !taken {
				first[key] = mine[key]
				continue
			}
			kind, name, _ := strings.Cut(key, " ")
			switch {
			case kind == "services":
				s.at(finding.TraefikName, mine[key].at, name, "stacks.%s has a service of Traefik of this name too, and Traefik mixes their tasks, or drops both: write %s-%s", other.stack.Name, s.Name, name)
			case other.fields != mine[key].fields:
				s.at(finding.TraefikName, mine[key].at, name, "stacks.%s has a %s of this name too, and Traefik drops both: write %s-%s", other.stack.Name, strings.TrimSuffix(kind, "s"), s.Name, name)
			}
		}
	}
}

// labelled are those of a stack's services that Traefik looks at, by kind and name.
func (s *stack) labelled() map[string]labelled {
	out := map[string]labelled{}
	for _, service := range s.services() {
		if service.Deploy == nil || !service.isRouted() {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(service.Deploy.Labels)) {
			m := ofHTTP.FindStringSubmatch(key)
			if m == nil {
				continue
			}
			name := strings.ToLower(m[1]) + " " + m[2]
			one, ok := out[name]
			if !ok {
				one = labelled{stack: s, at: service.path("deploy", "labels", key)}
			}
			one.fields += fmt.Sprintf("%s=%s\n", strings.ToLower(m[3]), service.Deploy.Labels[key])
			out[name] = one
		}
	}
	return out
}

// isRouted reports whether a label has Traefik look at the service.
func (s service) isRouted() bool {
	for key, value := range s.Deploy.Labels {
		if strings.EqualFold(key, "traefik.enable") {
			return strings.EqualFold(value, "true")
		}
	}
	return false
}
