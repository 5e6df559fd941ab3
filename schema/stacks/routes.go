package stacks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// routed looks at the routers of all stacks together: middlewares and hosts are the cluster's.
func (j *joiner) routed(stacks []*stack) {
	var routes []route
	for _, s := range stacks {
		routes = append(routes, s.labels()...)
	}
	if j.Services.Traefik == nil {
		j.unread(stacks, routes)
		return
	}
	own := j.ownPages()
	taken := map[string]route{}
	for _, r := range routes {
		r.stack.router(&r)
		r.stack.hidden(&r, own)
		key := strings.Join(strings.Fields(r.fields["rule"]), "") + " " + strings.Join(r.points(), ",")
		if other, ok := taken[key]; ok && r.fields["rule"] != "" && r.fields["priority"] == other.fields["priority"] {
			r.stack.at(finding.RouteTaken, r.at("rule"), r.fields["rule"], "is the rule of %s in stacks.%s too: one of them gets the visitors of both", other.name, other.stack.Name)
		}
		taken[key] = r
	}
	j.shared(stacks)
	j.referred(stacks)
	for _, s := range stacks {
		s.uncertified()
	}
}

// unread finds labels that nobody reads: no Traefik is on, and no stack brings one.
func (j *joiner) unread(stacks []*stack, routes []route) {
	for _, s := range stacks {
		if slices.ContainsFunc(s.services(), func(s service) bool { return strings.Contains(s.Image, "traefik") }) {
			return
		}
	}
	for _, r := range routes {
		r.stack.at(finding.TraefikMissing, r.at("rule"), "", "nobody reads it: add services: traefik: certificate: selfSigned: {}")
	}
}

// router looks at one router.
func (s *stack) router(r *route) {
	found, err := parseRule(r.fields["rule"])
	switch {
	case r.fields["rule"] == "":
		s.at(finding.TraefikRule, r.at("rule"), "", "the router %s has no rule: add traefik.http.routers.%s.rule=Host(`...`)", r.name, r.name)
	case err != nil:
		s.at(finding.TraefikRule, r.at("rule"), r.fields["rule"], "%v", err)
	}
	r.found = found
	for _, point := range r.points() {
		switch row, own := s.Rows.Points.Named(point); {
		case own:
			s.at(finding.TraefikPoint, r.at("entrypoints"), point, "is for %s alone, which gets all visitors there: want %s", row.Field, strings.Join(entryPoints, " or "))
		case !slices.Contains(entryPoints, point):
			s.at(finding.TraefikPoint, r.at("entrypoints"), point, "is not an entry point here: want %s%s", strings.Join(entryPoints, " or "), written.DidYouMean(point, entryPoints))
		}
	}
	s.reachable(r)
	s.resolved(r)
	s.pages(r)
}

// resolved looks at whom the router asks for a certificate. What a router says of tls takes the place of all that its entry point says.
func (s *stack) resolved(r *route) {
	name, asks := r.fields["tls.certresolver"]
	key := "tls.certresolver"
	for _, field := range slices.Sorted(maps.Keys(r.fields)) {
		isOn := field == "tls" && (r.fields[field] == "" || strings.EqualFold(r.fields[field], "true")) // Traefik passes over any other value
		if !asks && (isOn || strings.HasPrefix(field, "tls.")) {
			key = field
		}
	}
	_, says := r.fields[key]
	switch byACME := s.Services.Traefik.Certificate.ACME != nil; {
	case !says || byACME && name == schema.ACMEResolver:
	case asks && byACME:
		s.at(finding.TraefikResolver, r.at(key), name, "Traefik here knows the resolver %s alone, so nobody would ask for a certificate: write %[1]s, or drop the label", schema.ACMEResolver)
	case asks:
		s.at(finding.TraefikResolver, r.at(key), name, "Traefik here asks no authority, and shows what services.traefik.certificate says: drop the label")
	case byACME:
		s.at(finding.TraefikResolver, r.at(key), r.fields[key], "takes the place of what the entry point says, so nobody would ask for a certificate: drop the label, or add traefik.http.routers.%s.tls.certresolver=%s", r.name, schema.ACMEResolver)
	}
}

// reachable wants Traefik to find the tasks.
func (s *stack) reachable(r *route) {
	if !s.isPublic(r.service) {
		s.at(finding.TraefikNetwork, r.service.path("networks"), "", "Traefik reaches tasks on the network %s, and %s is not on it: add it to the networks of the service, and to the file as networks: %s: {external: true}",
			s.Network.Public.Name, r.service.name, s.Network.Public.Name)
	}
	if !r.service.has("services", "loadbalancer.server.port") && r.fields["service"] == "" {
		s.at(finding.TraefikPort, r.service.path("deploy", "labels"), "", "on a swarm Traefik does not know the port of %s: add traefik.http.services.%s.loadbalancer.server.port", r.service.name, r.service.name)
	}
}

// isPublic reports whether a service is on the network that Traefik serves.
func (s *stack) isPublic(service service) bool {
	for name := range service.Networks {
		if bool(s.project.Networks[name].External) && s.NetworkName(*s.Stack, name) == s.Network.Public.Name {
			return true
		}
	}
	return false
}

// entryPoints are those that applications may use.
var entryPoints = []string{"websecure", "web"}

// pages adds the addresses of a router to what people look at.
func (s *stack) pages(r *route) {
	var path string
	for _, m := range r.found {
		if (m.name == "PathPrefix" || m.name == "Path") && !m.not && path == "" {
			path = m.args[0]
		}
	}
	var zones []string
	if row, ok := s.Exposure("websecure"); ok {
		zones = slices.Clone(row.From)
	}
	for i, host := range hosts(r.found) {
		if !hostForm.MatchString(host) {
			s.at(finding.TraefikRule, r.at("rule"), host, "is not the name of a host; for a pattern write HostRegexp(`...`)")
			continue
		}
		name := s.Name + "-" + r.name
		if i > 0 {
			name += fmt.Sprint("-", i+1)
		}
		s.Rows.Pages = append(s.Rows.Pages, schema.Page{
			Name: words(name), Number: pageNumber, Title: words(s.Name + " " + r.service.name), URL: "https://" + host + plainPath(path), Zones: zones, Login: "its own",
		})
		s.Hosts = append(s.Hosts, host)
	}
}

// hostForm is what may stand in a URL.
var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// pageNumber puts the users' pages behind skep's own.
const pageNumber = 200

// plainPath is a path that may stand in a table, or the root.
func plainPath(path string) string {
	if strings.Trim(path, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-") != "" || !strings.HasPrefix(path, "/") {
		return "/"
	}
	return path
}

// uncertified finds hosts that the cluster's own web certificate does not name.
func (s *stack) uncertified() {
	if s.Services.Traefik.Certificate.SelfSigned == nil {
		return
	}
	names := append([]string{s.Domain}, s.Certificates.Names...)
	var missing []string
	for _, host := range s.Hosts {
		if !slices.Contains(names, host) && !slices.Contains(missing, `"`+host+`"`) {
			missing = append(missing, `"`+host+`"`)
		}
	}
	if len(missing) > 0 {
		s.warn(finding.RouteUncertified, s.Field("compose"), "the web certificate does not have %s, and browsers refuse it there: add certificates: names: [%s], and raise services.traefik.certificate.revision",
			strings.ReplaceAll(finding.Several(missing), `"`, ""), strings.Join(missing, ", "))
	}
}
