package proof

import (
	"net/netip"
	"strings"

	"skep.dev/generators/firewall/netset"
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

// Openings returns what the rulesets of one node open, in the order of their rules; later rules have what earlier ones left.
func Openings(rulesets []*Ruleset) []Opening {
	var out []Opening
	for _, s := range rulesets {
		out = append(out, s.openings(s.base, s.senders)...)
		out = append(out, s.openings(s.inside, s.insiders)...)
	}
	return out
}

// openings walks the openings of one chain. senders gives who a rule lets in, without the ports.
func (s *Ruleset) openings(name string, senders func(*rule) []Opening) []Opening {
	var out []Opening
	taken := map[string][]schema.PortRange{}
	for _, r := range s.chains[name].rules {
		proto, match, ok := r.opens()
		if !ok {
			continue
		}
		ports := netset.Subtract(match.ranges, taken[proto])
		if !schema.HasPorts(proto) {
			ports = netset.Subtract([]schema.PortRange{{}}, taken[proto])
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
			out = append(out, Opening{Zone: schema.Containers, Family: o.Family})
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
			return []Opening{world(netset.Family(m))}
		}
	}
	return s.everyone()
}

// everyone is the whole world, over the families of the file.
func (s *Ruleset) everyone() []Opening {
	var out []Opening
	for _, f := range s.families {
		out = append(out, world(f))
	}
	return out
}

func world(f netset.Family) Opening {
	return Opening{Zone: Everyone, Family: int(f), From: []netip.Prefix{f.World()}}
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
		for _, f := range netset.Families() {
			for _, a := range s.addressSets(f, source) {
				if strings.HasPrefix(a.field, "access.") {
					zone := zoneOf(a.field)
					out[zone] = netset.Merge(append(out[zone], a.prefixes...))
				}
			}
		}
	}
	return out
}
