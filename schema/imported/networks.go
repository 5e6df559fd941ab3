package imported

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/written"
)

// labels are those that Traefik reads or read, wherever they stand.
func labels(c types.ServiceConfig) map[string]string {
	out := maps.Clone(map[string]string(c.Labels))
	if out == nil {
		out = map[string]string{}
	}
	if c.Deploy != nil {
		maps.Copy(out, c.Deploy.Labels)
	}
	maps.DeleteFunc(out, func(name, _ string) bool { return !strings.HasPrefix(name, "traefik.") })
	return out
}

// isRouted reports whether Traefik leads visitors to the service.
func isRouted(c types.ServiceConfig) bool {
	l := labels(c)
	return len(l) > 0 && l["traefik.enable"] != "false"
}

// routes finds what Traefik served, and on which network: the one of most stacks keeps its name, so that their tasks stay.
func (all *Stacks) routes() {
	count := map[string]int{}
	for i := range all.List {
		s := &all.List[i]
		for _, c := range s.services() {
			if !isRouted(c) {
				continue
			}
			all.IsRouted = true
			for _, network := range s.served(c) {
				count[s.object(network)]++
			}
			if len(s.wants.Values) == 0 {
				all.Names = append(all.Names, hosts(c)...)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if written.NewSchema().Breaks("#NetworkName", name) == "" && count[name] > count[all.Public] {
			all.Public = name
		}
	}
	slices.Sort(all.Names)
	all.Names = slices.Compact(all.Names)
}

var hostRule = regexp.MustCompile("Host\\(`([^`]+)`\\)")

// hosts are the names that a router's rule asks for.
func hosts(c types.ServiceConfig) []string {
	var names []string
	for name, value := range labels(c) {
		if strings.HasPrefix(name, "traefik.http.routers.") && strings.HasSuffix(name, ".rule") {
			for _, m := range hostRule.FindAllStringSubmatch(value, -1) {
				if host := strings.ToLower(m[1]); written.NewSchema().Breaks("#Domain", host) == "" {
					names = append(names, host)
				}
			}
		}
	}
	return names
}

// served are the external networks on which Traefik may reach a service: the one that a label names, or else all of them.
func (s *Stack) served(c types.ServiceConfig) []string {
	l := labels(c)
	named := cmp.Or(l["traefik.swarm.network"], l["traefik.docker.network"])
	var found []string
	for _, name := range s.project.Order["networks"] {
		_, joined := c.Networks[name]
		if !joined || !bool(s.project.Networks[name].External) {
			continue
		}
		if named != "" && (named == name || named == s.object(name)) {
			return []string{name}
		}
		found = append(found, name)
	}
	return found
}

// object is the name in the swarm of an external network.
func (s *Stack) object(network string) string {
	return cmp.Or(s.project.Networks[network].Name, network)
}

// networks maps the external ones: Traefik's, or one that has to be there.
func (s *Stack) networks(public string) []Line {
	served := map[string]bool{} // and whether it is the only one
	for _, c := range s.services() {
		if isRouted(c) {
			for _, network := range s.served(c) {
				served[network] = served[network] || len(s.served(c)) == 1
			}
		}
	}
	var lines []Line
	for _, name := range s.project.Order["networks"] {
		n, ok := s.project.Networks[name]
		object := s.object(name)
		alone, is := served[name]
		switch {
		case !ok || !bool(n.External) || object == public:
		case alone:
			s.moved[name] = true
			lines = append(lines, Line{Name: name, Value: "{public: true}", Why: "Traefik reached it on " + object})
		case is && public == "":
			lines = append(lines, Line{Name: name, Value: "{public: true}", Open: true, Why: "when Traefik serves it on this one"})
		default:
			lines = append(lines, Line{Name: name, Value: fmt.Sprintf("{name: %q}", object), Open: written.NewSchema().Breaks("#ComposeName", object) != "", Why: "has to be there"})
		}
	}
	return lines
}
