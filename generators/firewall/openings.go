package firewall

import (
	"net/netip"
	"slices"
	"strings"

	"skep.dev/schema"
)

// Opening is ports that a ruleset opens to a zone over one family. Zone is one of the spec's, or Everyone. A protocol
// without ports has the one port 0.
type Opening struct {
	Zone   string
	Family int            // 4 or 6
	From   []netip.Prefix // the zone's addresses, sorted; none for containers, who are told by their interface
	Proto  string
	Ports  []schema.PortRange
	Field  string // the comment above the rule: the field of the spec
}

// Everyone is the zone of rules that ask for no address. The containers of the node are not among them.
const Everyone = "everyone"

// containers is the zone of the node's own tasks.
const containers = "containers"

// Openings returns what the rulesets of one node open, in the order of their rules; later rules have what earlier ones left.
func Openings(rulesets []*Ruleset) []Opening {
	var out []Opening
	for _, s := range rulesets {
		inside := containers
		if s.base == chain {
			inside = chain + "-INSIDE"
		}
		out = append(out, s.openings(s.base, s.senders)...)
		out = append(out, s.openings(inside, s.insiders)...)
	}
	return out
}

// openings walks the openings of one chain. senders gives who a rule lets in, without the ports.
func (s *Ruleset) openings(name string, senders func(*rule) []Opening) []Opening {
	var out []Opening
	taken := map[string][]schema.PortRange{}
	for _, r := range s.chains[name].rules {
		proto, match, ok := r.opening()
		if !ok {
			continue
		}
		ports := subtract(match.ranges, taken[proto])
		if !schema.HasPorts(proto) {
			ports = subtract([]schema.PortRange{{}}, taken[proto])
		}
		taken[proto] = append(taken[proto], ports...)
		if len(ports) == 0 {
			continue
		}
		for _, o := range senders(r) {
			o.Proto, o.Ports, o.Field = proto, ports, r.field
			out = append(out, o)
		}
	}
	return out
}

// senders returns the zones that a rule lets in: by itself, or by the chain that it goes to.
func (s *Ruleset) senders(r *rule) []Opening {
	if r.action == accept {
		return s.everyone()
	}
	var out []Opening
	for _, in := range s.chains[r.target].rules {
		if in.action == accept {
			out = append(out, s.admitted(in)...)
		}
	}
	return out
}

// insiders returns the containers where a rule lets them in whatever their address: that proves nothing.
func (s *Ruleset) insiders(r *rule) []Opening {
	var out []Opening
	for _, o := range s.senders(r) {
		if o.Zone == Everyone {
			out = append(out, Opening{Zone: containers, Family: o.Family})
		}
	}
	return out
}

// admitted returns who a rule of a zone's chain lets in.
func (s *Ruleset) admitted(r *rule) []Opening {
	for _, m := range r.matches {
		switch m := m.(type) {
		case addressMatch:
			return []Opening{{Zone: zoneOf(m.set.field), Family: int(m.set.family), From: m.set.prefixes}}
		case familyMatch:
			return []Opening{world(family(m))}
		}
	}
	return s.everyone()
}

// everyone is the whole world, over the families of the file.
func (s *Ruleset) everyone() []Opening {
	var out []Opening
	for _, f := range []family{v4, v6} {
		if !strings.HasSuffix(s.Path, map[family]string{v4: ".v6.rules", v6: ".v4.rules"}[f]) {
			out = append(out, world(f))
		}
	}
	return out
}

func world(f family) Opening {
	nowhere := map[family]netip.Addr{v4: netip.IPv4Unspecified(), v6: netip.IPv6Unspecified()}[f]
	return Opening{Zone: Everyone, Family: int(f), From: []netip.Prefix{netip.PrefixFrom(nowhere, 0)}}
}

// zoneOf is the zone that a field of the spec fills.
func zoneOf(field string) string {
	if zone, ok := strings.CutPrefix(field, "access."); ok {
		return zone
	}
	return "cluster"
}

// ZoneAddresses returns the addresses behind the zones that the rulesets name; the whole world has none.
func ZoneAddresses(rulesets []*Ruleset) map[string][]netip.Prefix {
	out := map[string][]netip.Prefix{}
	for _, s := range rulesets {
		for _, f := range []family{v4, v6} {
			for _, a := range s.sourceSets(f) {
				if strings.HasPrefix(a.field, "access.") {
					zone := zoneOf(a.field)
					out[zone] = merge(append(out[zone], a.prefixes...))
				}
			}
		}
	}
	return out
}

// Without returns the addresses of a that are not in b, as prefixes; b is sorted and disjoint.
func Without(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range a {
		inside := overlapping(b, p)
		switch {
		case len(inside) == 0:
			out = append(out, p)
		case inside[0].Bits() > p.Bits():
			low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
			high := netip.PrefixFrom(last(low).Next(), p.Bits()+1)
			out = append(out, Without([]netip.Prefix{low, high}, inside)...)
		}
	}
	return merge(out)
}

// Common returns the addresses that are in both, as prefixes. Both are sorted and disjoint.
func Common(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range a {
		for _, q := range overlapping(b, p) {
			if q.Bits() < p.Bits() {
				q = p
			}
			out = append(out, q)
		}
	}
	return out
}

// overlapping returns those of the sorted, disjoint prefixes that share addresses with p: the one that holds it, or all
// that it holds.
func overlapping(prefixes []netip.Prefix, p netip.Prefix) []netip.Prefix {
	first, _ := slices.BinarySearchFunc(prefixes, p.Addr(), func(q netip.Prefix, a netip.Addr) int { return q.Addr().Compare(a) })
	if first > 0 && prefixes[first-1].Overlaps(p) {
		first--
	}
	end := first
	for end < len(prefixes) && prefixes[end].Overlaps(p) {
		end++
	}
	return prefixes[first:end]
}

// PortsWithout returns the ports of a that are not in b, sorted and joined.
func PortsWithout(a, b []schema.PortRange) []schema.PortRange { return subtract(a, b) }
