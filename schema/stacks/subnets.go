package stacks

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// subnet is one that a Compose file gives to a network.
type subnet struct {
	stack   *stack
	network string
	at      []string
	netip.Prefix
}

// subnets are those of the networks that the stacks make. A wrong one is told, and left out.
func (j *joiner) subnets(stacks []*stack) []subnet {
	var out []subnet
	for _, s := range stacks {
		for _, name := range s.project.Order["networks"] {
			if config, ok := s.project.Networks[name]; ok && !bool(config.External) {
				out = append(out, s.subnetsOf(name, config)...)
			}
		}
	}
	return out
}

func (s *stack) subnetsOf(network string, config types.NetworkConfig) []subnet {
	var out []subnet
	for i, pool := range config.Ipam.Config {
		if pool == nil || pool.Subnet == "" {
			continue
		}
		at := []string{"networks", network, "ipam", "config", strconv.Itoa(i), "subnet"}
		prefix, err := netip.ParsePrefix(pool.Subnet)
		switch {
		case err != nil:
			s.at(finding.SwarmValue, at, pool.Subnet, "want a network such as 10.1.2.0/24")
		case prefix != prefix.Masked():
			s.at(finding.SwarmValue, at, pool.Subnet, "has host bits set: write %s", prefix.Masked())
		default:
			out = append(out, subnet{s, network, at, prefix})
		}
	}
	return out
}

// overlaps finds subnets that meet another network, a node or a zone.
func (j *joiner) overlaps(fixed []subnet) {
	const way = "choose a range that nothing else uses"
	for i, f := range fixed {
		tell := func(text string, args ...any) {
			f.stack.at(finding.NetworksOverlap, f.at, f.String(), text+way, args...)
		}
		for _, own := range j.OwnNetworks() {
			if f.Overlaps(own.Prefix) {
				tell("overlaps %s, which is %s: ", own.Field, own.Prefix)
			}
		}
		for _, other := range fixed[:i] {
			if f.Overlaps(other.Prefix) {
				tell("overlaps %s of %s, which is %s: ", schema.JoinPath("networks", other.network), other.stack.Field(), other)
			}
		}
		if inside := j.inside(f.Prefix); len(inside) > 0 {
			tell("holds the address of %s: ", finding.Nodes(inside))
		}
		for _, zone := range schema.AccessZones() {
			for _, p := range j.Access.Listed(zone) {
				// As for skep's own: the world may hold everything, and so may users who are the world of a closed site.
				if p.Bits() > 0 && p.Overlaps(f.Prefix) && (zone != "users" || p.Bits() >= f.Bits()) {
					tell("overlaps %s in access.%s, which would get no answer: ", p, zone)
				}
			}
		}
	}
}

// inside are the nodes with an address in a network.
func (j *joiner) inside(p netip.Prefix) []string {
	var names []string
	for _, n := range j.Nodes {
		if slices.ContainsFunc(n.Addresses(), p.Contains) {
			names = append(names, n.Name)
		}
	}
	return names
}

// room is how many addresses a subnet of an overlay has for tasks and the like: all but its own, the gateway's and the last.
func room(bits int) int { return max(1<<(32-bits)-3, 0) }
