package stacks

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// ports adds a row of exposures for each published port.
func (s *stack) ports() {
	used := map[string]bool{}
	for _, service := range s.services() {
		s.unnumbered(service)
		s.assigned(service)
		var undeclared []port
		for _, p := range service.ports() {
			key, opening, declared := s.opening(service.name, p)
			used[key] = true
			switch {
			case s.isBound(service, p) || s.isUnusable(service, p):
			case !declared:
				undeclared = append(undeclared, p)
			default:
				s.expose(service, p, key, opening)
			}
		}
		s.undeclared(service, undeclared)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Exposures)) {
		if !used[key] {
			s.unused(key)
		}
	}
}

// opening is what the spec says of a port, from the closest to the widest.
func (s *stack) opening(service string, p port) (key string, o schema.StackOpening, ok bool) {
	number := strconv.Itoa(int(p.number))
	for _, key := range []string{service + ":" + number + "/" + p.proto(), service + ":" + number, service} {
		if o, ok := s.Exposures[key]; ok {
			return key, o, true
		}
	}
	return "", o, false
}

// undeclared asks who may connect, once for a service.
func (s *stack) undeclared(service service, ports []port) {
	if len(ports) == 0 {
		return
	}
	var names []string
	for _, p := range ports {
		names = append(names, p.String())
	}
	is := "is"
	if len(names) > 1 {
		is = "are"
	}
	s.at(finding.UndeclaredExposure, ports[0].at, "", "%s %s published, and nothing says who may connect: add stacks: %s: exposures: %s: from: [\"users\"]",
		finding.Several(names), is, label(s.Name), label(service.name))
}

// label is a name as CUE has it on the left of a colon.
func label(name string) string {
	if strings.ContainsAny(name, "-.:/") || name[0] >= '0' && name[0] <= '9' {
		return strconv.Quote(name)
	}
	return name
}

// isBound finds ports that are meant for one address: Swarm publishes on all.
func (s *stack) isBound(service service, p port) bool {
	if p.HostIP == "" {
		return false
	}
	address, err := netip.ParseAddr(strings.Trim(p.HostIP, "[]"))
	if err == nil && address.IsUnspecified() {
		return false
	}
	got := fmt.Sprintf("%s:%s:%d", p.HostIP, p.Published, p.Target)
	s.at(finding.LoopbackPublish, p.at, got, "Swarm publishes on every address of every node: drop the port, since services reach each other on their network; or leave %s out, and add stacks: %s: exposures: %s: from: [...]",
		p.HostIP, label(s.Name), label(service.name))
	return true
}

// isUnusable finds ports that Docker refuses, or that somebody has.
func (s *stack) isUnusable(service service, p port) bool {
	if !p.isHost() && service.Deploy != nil && service.Deploy.EndpointMode == "dnsrr" {
		s.at(finding.DnsrrIngress, p.at, p.String(), "the routing mesh needs a virtual address, which endpoint_mode: dnsrr leaves out: write mode: host, or drop endpoint_mode")
		return true
	}
	if p.isHost() && service.startsFirst() {
		s.at(finding.HostmodeStartFirst, p.at, p.String(), "mode: host, and the next task never starts while the last one has the port: write update_config: order: stop-first")
	}
	on := s.nodesOf(service, p)
	for _, e := range s.Cluster.Exposures {
		if e.Port == 0 || e.Proto != p.proto() || p.number < e.Port || p.number > e.Last || !s.meet(on, e.On) {
			continue
		}
		if e.Port != e.Last && !e.Added() {
			continue // a range of skep's, which check looks at
		}
		s.taken(p, e)
		return true
	}
	return false
}

// taken says who has a port.
func (s *stack) taken(p port, e schema.Exposure) {
	switch {
	case e.Field == "services.traefik":
		s.at(finding.PortTaken, p.at, p.String(), "is published by %s: route through it with labels, and drop the port", e.Field)
	case strings.HasPrefix(e.Field, "stacks.") || e.Mode != "node":
		s.at(finding.PortTaken, p.at, p.String(), "is published by %s already: choose another port", e.Field)
	default:
		s.at(finding.ReservedPort, p.at, p.String(), "is for %s (%s): on every node this port would lead to the service; choose another port", e.Why, e.Field)
	}
}

// nodesOf are the nodes, or groups of them, on which a port of the service is open.
func (s *stack) nodesOf(service service, p port) []string {
	if !p.isHost() {
		return []string{"all"}
	}
	return s.groups(s.admitted(service))
}

// meet reports whether two lists of nodes and groups have a node in common.
func (s *stack) meet(a, b []string) bool {
	return slices.ContainsFunc(s.Nodes, func(n schema.Node) bool {
		return schema.Exposure{On: a}.Includes(n) && schema.Exposure{On: b}.Includes(n)
	})
}

// expose adds the row of a port. No name that a spec may write, and none of skep's own, has an underscore.
func (s *stack) expose(service service, p port, key string, o schema.StackOpening) {
	mode, why := "ingress", o.Why
	if p.isHost() {
		mode = "host"
	}
	if why == "" {
		why = words(s.Name + " " + service.name)
	}
	s.Cluster.Exposures = append(s.Cluster.Exposures, schema.Exposure{
		Name: fmt.Sprintf("stack_%s_%d_%s", s.Name, p.number, p.proto()), Proto: p.proto(), Port: p.number, Last: p.number,
		On: s.nodesOf(service, p), From: slices.Clone(o.From), Mode: mode, Why: why, Field: s.Field("exposures", key), Expires: o.Expires,
	})
}

// words keeps of a text what the comment of a rule may hold.
func words(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" ._-", r) {
			return r
		}
		return -1
	}, text)
}

// unnumbered finds published ports that are not one of TCP or UDP: no row of exposures would have them.
func (s *stack) unnumbered(service service) {
	for i, p := range service.Ports {
		at := service.path("ports", strconv.Itoa(i))
		if _, err := strconv.ParseUint(p.Published, 10, 16); err != nil && p.Published != "" {
			s.at(finding.SwarmValue, at, p.Published, "a swarm publishes one port for %d, and takes no range: write PUBLISHED:%d", p.Target, p.Target)
		}
		if p.Protocol != "" && p.Protocol != "tcp" && p.Protocol != "udp" {
			s.at(finding.SwarmValue, at, p.Protocol, "the firewall opens published ports of tcp and udp alone: drop the port")
		}
	}
}

// assigned finds ports whose number swarm chooses, where nobody may connect to such.
func (s *stack) assigned(service service) {
	if _, open := s.Exposure("applications-tcp"); open {
		return
	}
	for i, p := range service.Ports {
		if p.Published == "" || p.Published == "0" {
			s.at(finding.PortAssigned, service.path("ports", strconv.Itoa(i)), strconv.Itoa(int(p.Target)),
				"swarm would choose the published port, and the firewall opens none of those here: write PUBLISHED:%d", p.Target)
		}
	}
}

// unused says that a row of the spec opens nothing.
func (s *stack) unused(key string) {
	name, port, _ := strings.Cut(key, ":")
	field := s.Field("exposures", key)
	config, ok := s.project.Services[name]
	if !ok {
		s.field(finding.UnusedOpening, field, name+" is not a service of the stack"+written.DidYouMean(name, s.project.ServiceNames()))
		return
	}
	published := service{&config, name}.ports()
	if len(published) == 0 && len(config.Ports) > 0 {
		return // what is wrong with them is told where they stand
	}
	if len(published) == 0 {
		s.field(finding.UnusedOpening, field, name+" publishes no port; remove the row, or publish one in the Compose file")
		return
	}
	var have []string
	for _, p := range published {
		have = append(have, p.String())
	}
	s.field(finding.UnusedOpening, field, fmt.Sprintf("%s does not publish %s; it publishes %s", name, port, finding.Several(have)))
}
