package stacks

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// route is a router of Traefik that a service's labels make.
type route struct {
	stack   *stack
	service service
	name    string
	fields  map[string]string // by name in lower case: "rule", "entrypoints", "tls.certresolver"
	found   []matcher
}

// label is the key of a field of the router, as the Compose file has it in one way or another.
func (r route) at(field string) []string {
	key := "traefik.http.routers." + r.name + "." + field
	for name := range r.service.Deploy.Labels {
		if strings.EqualFold(name, key) {
			key = name
		}
	}
	return r.service.path("deploy", "labels", key)
}

// points are the router's entry points.
func (r route) points() []string { return list(r.fields["entrypoints"]) }

func list(text string) []string {
	return slices.DeleteFunc(strings.Split(strings.ReplaceAll(text, " ", ""), ","), func(s string) bool { return s == "" })
}

// old are labels of Traefik 1.
var old = regexp.MustCompile(`^traefik\.(frontend|backend|port|weight|protocol|tags|domain|circuitbreaker)(\.|$)|^traefik\.[^.]+\.(frontend|backend|port)(\.|$)`)

// kinds are what stands behind traefik in labels; files may say more.
var kinds = regexp.MustCompile(`^traefik\.(enable|docker\.(network|lbswarm)|swarm\.(network|lbswarm)|(http|tcp)\.(routers|services|middlewares)\.[^.]+\..+|udp\.(routers|services)\.[^.]+\..+|tls\.stores\..+)$`)

// ofHTTP is a label of a router and the like: what it is, its name, and the field.
var ofHTTP = regexp.MustCompile(`(?i)^traefik\.http\.(routers|services|middlewares)\.([^.]+)\.(.+)$`)

// labels reads the labels for Traefik, and gives the routers that they make.
func (s *stack) labels() []route {
	var out []route
	for _, service := range s.services() {
		s.misplaced(service)
		if service.Deploy == nil {
			continue
		}
		if s.misread(service) || !s.isSeen(service) {
			continue
		}
		out = append(out, s.routes(service)...)
	}
	return out
}

// misplaced finds labels of the container, which the Swarm provider does not read.
func (s *stack) misplaced(service service) {
	for _, key := range slices.Sorted(maps.Keys(service.Labels)) {
		if strings.HasPrefix(strings.ToLower(key), "traefik.") {
			s.at(finding.TraefikLabelLevel, service.path("labels", key), key, "on a swarm Traefik reads deploy: labels: move the labels there")
			return
		}
	}
}

// misread finds labels that Traefik 3 does not know.
func (s *stack) misread(service service) bool {
	for _, key := range slices.Sorted(maps.Keys(service.Deploy.Labels)) {
		lower, at := strings.ToLower(key), service.path("deploy", "labels", key)
		switch {
		case !strings.HasPrefix(lower, "traefik."):
		case old.MatchString(lower):
			s.at(finding.TraefikV1, at, key, "is of Traefik 1: write traefik.http.routers.%s.rule=Host(`...`), and traefik.http.services.%s.loadbalancer.server.port for its port", service.name, service.name)
			return true
		case !kinds.MatchString(lower):
			s.at(finding.TraefikLabel, at, key, "Traefik 3 reads no such label: want traefik.enable, or traefik.http.routers.NAME.rule and the like")
			return true
		}
	}
	return false
}

// isSeen reports whether Traefik looks at the service, which it does where a label says so.
func (s *stack) isSeen(service service) bool {
	routed := false
	for key, value := range service.Deploy.Labels {
		if strings.EqualFold(key, "traefik.enable") {
			return strings.EqualFold(value, "true")
		}
		routed = routed || strings.HasPrefix(strings.ToLower(key), "traefik.http.routers.")
	}
	if routed {
		s.at(finding.TraefikOff, service.path("deploy", "labels"), "", "Traefik looks only at services with traefik.enable=true: add it")
	}
	return false
}

// routes are those of one service. A service with a port and no router has Traefik's own, by its name.
func (s *stack) routes(service service) []route {
	routers := map[string]map[string]string{}
	for key, value := range service.Deploy.Labels {
		m := ofHTTP.FindStringSubmatch(key)
		if m == nil || !strings.EqualFold(m[1], "routers") {
			continue
		}
		if routers[m[2]] == nil {
			routers[m[2]] = map[string]string{}
		}
		routers[m[2]][strings.ToLower(m[3])] = value
	}
	var out []route
	for _, name := range slices.Sorted(maps.Keys(routers)) {
		out = append(out, route{stack: s, service: service, name: name, fields: routers[name]})
	}
	return out
}

// has reports whether a label of the service, such as one of a load balancer's port, is there under any name.
func (s service) has(kind, field string) bool {
	for key := range s.Deploy.Labels {
		m := ofHTTP.FindStringSubmatch(key)
		if m != nil && strings.EqualFold(m[1], kind) && strings.EqualFold(m[3], field) {
			return true
		}
	}
	return false
}
