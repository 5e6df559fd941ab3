package stacks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// networks finds those that the stack calls external and nothing makes, and those that it makes and others have.
func (s *stack) networks() {
	for _, name := range s.project.Order["networks"] {
		switch config, ok := s.project.Networks[name]; {
		case !ok:
		case bool(config.External):
			s.external(name)
		default:
			s.makes(name, config)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		s.mapped(name)
	}
}

// external looks at a network that somebody else makes.
func (s *stack) external(name string) {
	at := []string{"networks", name}
	is, public := s.NetworkName(*s.Stack, name), s.Network.Public.Name
	if _, own := s.Cluster.Networks.Named(is); own && is != public {
		s.at(finding.OwnObject, at, is, "is a network that skep's own services have to themselves: take the service off it")
		return
	}
	if _, said := s.Networks[name]; said || is == public {
		return
	}
	field := fmt.Sprintf("stacks: %s: networks: %s", label(s.Name), label(name))
	if of, network := s.maker(is, name); of != "" {
		s.at(finding.NetworkUnknown, at, is, "is external, and nothing says who makes it: add %s: {stack: \"%s\", network: \"%s\"}, which has the runbook deploy the stack %s first", field, of, network, of)
		return
	}
	s.at(finding.NetworkUnknown, at, is, "is external, and nothing makes it: add %s: public: true for the one that Traefik serves (%s), or name: \"%s\" for one of your own",
		field, public, is)
}

// maker is the other stack that makes a network, by its name in the swarm or else in the Compose files, and its name there.
func (s *stack) maker(is, name string) (of, network string) {
	for _, other := range s.Stacks {
		if other.Name == s.Name || other.Project == nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(other.Project.Networks)) {
			switch {
			case bool(other.Project.Networks[key].External):
			case other.Made(key) == is:
				return other.Name, key
			case key == name && of == "":
				of, network = other.Name, key
			}
		}
	}
	return of, network
}

// makes looks at a network of the stack's own.
func (s *stack) makes(name string, config types.NetworkConfig) {
	at := []string{"networks", name}
	if d := config.Driver; d != "" && d != "overlay" {
		s.at(finding.NetworkDriver, append(at, "driver"), d, "the tasks of a service are on several nodes: want overlay, or leave driver out")
	}
	is := s.Made(name)
	if row, ok := s.Cluster.Networks.Named(is); ok {
		s.at(finding.NetworkTaken, at, is, "is a network that the runbook makes (%s): for that one write external: true, otherwise choose another name", row.Field)
		return
	}
	// Told once, of the later one.
	if of, network := s.maker(is, ""); of != "" && of < s.Name {
		s.at(finding.NetworkTaken, at, is, "is made by the stack %s already: write external: true, and add stacks: %s: networks: %s: {stack: \"%s\", network: \"%s\"}; or choose another name",
			of, label(s.Name), label(name), of, network)
	}
}

// mapped looks at what the spec says of a network.
func (s *stack) mapped(name string) {
	field, n := s.Field("networks", name), s.Networks[name]
	config, ok := s.project.Networks[name]
	switch {
	case !ok:
		s.field(finding.UnusedName, field, "is not a network of its Compose files"+written.DidYouMean(name, s.project.NetworkNames()))
	case !bool(config.External):
		s.field(finding.FieldsDisagree, field, "the Compose file makes this network itself: write external: true there, or drop the field")
	}
	forms := 0
	for _, given := range []bool{n.Public, n.Name != "", n.Stack != "" || n.Network != ""} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1:
		s.field(finding.FieldsDisagree, field, "want exactly one of public, name, and stack with network")
	case n.Name != "":
		if of, network := s.maker(n.Name, ""); of != "" {
			s.field(finding.FieldsDisagree, field+".name", fmt.Sprintf("is made by the stack %s: write {stack: \"%s\", network: \"%s\"} instead, which has the runbook deploy that one first", of, of, network))
		}
	case n.Public:
	case n.Stack == "" || n.Network == "":
		s.field(finding.FieldsDisagree, field, "want both stack and network: whose it is, and its name in the Compose files there")
	default:
		s.borrowed(field, n)
	}
}

// borrowed looks at a network of another stack.
func (s *stack) borrowed(field string, n schema.StackNetwork) {
	wrong := func(name, text string) { s.field(finding.NetworkOfStack, field+"."+name, text) }
	other, ok := s.Stacks.Named(n.Stack)
	switch {
	case n.Stack == s.Name:
		wrong("stack", "is this stack itself: drop the field, and external: true in the Compose file")
		return
	case s.isOwn(n.Stack):
		wrong("stack", n.Stack+" is a stack of skep's own: want one of yours, or public: true for the network that Traefik serves")
		return
	case !ok:
		wrong("stack", n.Stack+" is not a stack of the spec: name one that is, or take this stack off the network"+written.DidYouMean(n.Stack, s.Stacks.Names()))
		return
	case other.Project == nil:
		return // what is wrong with it is told
	}
	config, ok := other.Project.Networks[n.Network]
	switch users := other.IsOn(n.Network); {
	case !ok && (n.Network != schema.DefaultNetwork || !users):
		wrong("network", n.Network+" is not a network of the stack "+n.Stack+written.DidYouMean(n.Network, other.Project.NetworkNames()))
	case bool(config.External):
		wrong("network", "the stack "+n.Stack+" does not make it either: say here whose it is, as stacks."+n.Stack+".networks does")
	case !users:
		wrong("network", "no service of "+n.Stack+" is on it, and docker stack deploy makes a network only for services of the stack: put one on it, or let this stack make it")
	}
}
