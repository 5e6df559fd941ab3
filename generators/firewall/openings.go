package firewall

import (
	"net/netip"
	"slices"
	"strings"

	"skep.dev/schema"
)

// Opening is ports that a ruleset opens to a zone. Zone is one of the spec's, "everyone", or "everyone over IPv4" or
// "over IPv6" where the other family is not. A protocol without ports has the one port 0.
type Opening struct {
	Zone  string
	Proto string
	Ports []schema.PortRange
	Field string // the comment above the rule: the field of the spec
}

// Everyone is the zone of rules that ask for no address. The containers of the node are not among them.
const Everyone = "everyone"

// Openings returns what the rulesets of one node open, in the order of their rules; later rules have what earlier ones left.
func Openings(rulesets []*Ruleset) []Opening {
	var out []Opening
	for _, s := range rulesets {
		inside := "containers"
		if s.base == chain {
			inside = chain + "-INSIDE"
		}
		out = append(out, s.openings(s.base, s.senders)...)
		out = append(out, s.openings(inside, func(r *rule) []string {
			if r.action == accept {
				return []string{"containers"}
			}
			return nil // an address that proves nothing
		})...)
	}
	return joinFamilies(out)
}

// openings walks the openings of one chain.
func (s *Ruleset) openings(name string, senders func(*rule) []string) []Opening {
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
		for _, zone := range senders(r) {
			out = append(out, Opening{zone, proto, ports, r.field})
		}
	}
	return out
}

// senders returns the zones that a rule lets in: by itself, or by the chain that it goes to.
func (s *Ruleset) senders(r *rule) []string {
	everyone := map[string]string{".nft": Everyone, ".v4.rules": Everyone + " over IPv4", ".v6.rules": Everyone + " over IPv6"}[ending(s.Path)]
	if r.action == accept {
		return []string{everyone}
	}
	var out []string
	for _, in := range s.chains[r.target].rules {
		if in.action != accept {
			continue
		}
		zone := everyone
		for _, m := range in.matches {
			switch m := m.(type) {
			case addressMatch:
				zone = zoneOf(m.set.field)
			case familyMatch:
				zone = Everyone + " over IPv" + family(m).suffix()
			}
		}
		if !slices.Contains(out, zone) {
			out = append(out, zone)
		}
	}
	return out
}

func ending(path string) string {
	return path[strings.IndexByte(path[strings.LastIndexByte(path, '/')+1:], '.')+strings.LastIndexByte(path, '/')+1:]
}

// zoneOf is the zone that a field of the spec fills.
func zoneOf(field string) string {
	if zone, ok := strings.CutPrefix(field, "access."); ok {
		return zone
	}
	return "cluster"
}

// joinFamilies makes "everyone" of what is open over both families, and one of what two families say alike.
func joinFamilies(all []Opening) []Opening {
	var out []Opening
	for _, o := range all {
		same := func(zone string) int {
			return slices.IndexFunc(out, func(p Opening) bool {
				return p.Zone == zone && p.Proto == o.Proto && p.Field == o.Field && slices.Equal(p.Ports, o.Ports)
			})
		}
		if same(o.Zone) >= 0 {
			continue
		}
		if family, ok := strings.CutPrefix(o.Zone, Everyone+" over "); ok {
			other := map[string]string{"IPv4": "IPv6", "IPv6": "IPv4"}[family]
			if i := same(Everyone + " over " + other); i >= 0 {
				out[i].Zone = Everyone
				continue
			}
		}
		out = append(out, o)
	}
	return out
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

// Without returns the addresses of a that are not in b, as prefixes.
func Without(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range a {
		var inside []netip.Prefix
		covered := false
		for _, q := range b {
			if q.Overlaps(p) {
				inside = append(inside, q)
				covered = covered || q.Bits() <= p.Bits()
			}
		}
		switch {
		case covered:
		case len(inside) == 0:
			out = append(out, p)
		default:
			low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
			high := netip.PrefixFrom(last(low).Next(), p.Bits()+1)
			out = append(out, Without([]netip.Prefix{low, high}, inside)...)
		}
	}
	return merge(out)
}

// PortsWithout returns the ports of a that are not in b, sorted and joined.
func PortsWithout(a, b []schema.PortRange) []schema.PortRange { return subtract(a, b) }
