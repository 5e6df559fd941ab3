package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// side is what one bundle opens: on the nodes of one class, and anywhere.
type side struct{ here, anywhere []proof.Opening }

// difference returns what the openings of one class have and those of the other lack, by zone, family and protocol. A
// zone may share addresses with others, and lie in the whole world: what its addresses can do on both sides is no change.
func difference(change string, has, lacks side) []PortChange {
	var out []PortChange
	for _, proto := range protocols(has.here) {
		for _, zone := range zonesOf(has.here) {
			var changes []PortChange
			for _, family := range families {
				g := group{zone, family, proto}
				for _, p := range g.pieces(has, lacks) {
					changes = append(changes, PortChange{
						Change: change, Zone: zone, Over: fmt.Sprintf("IPv%d", family), Except: p.except, Proto: proto,
						Ports: p.ports, Fields: g.fields(has.here, p.ports),
					})
				}
			}
			changes = joinFamilies(changes)
			if zone != schema.Containers && zone != proof.Everyone && !spans(slices.Concat(has.anywhere, lacks.anywhere), zone, proof.Everyone) {
				for i := range changes { // the zone's only family goes without saying
					changes[i].Over = ""
				}
			}
			out = append(out, changes...)
		}
	}
	return out
}

// protocols are tcp and udp, and then the others.
func protocols(openings []proof.Opening) []string {
	var others []string
	for _, o := range openings {
		if !schema.HasPorts(o.Proto) {
			others = append(others, o.Proto)
		}
	}
	slices.Sort(others)
	return append([]string{"tcp", "udp"}, slices.Compact(others)...)
}

// spans reports whether openings name the zones over both families. The world may be any zone's other family.
func spans(openings []proof.Opening, zones ...string) bool {
	seen := map[int]bool{}
	for _, o := range openings {
		if slices.Contains(zones, o.Zone) {
			seen[o.Family] = true
		}
	}
	return len(seen) == len(families)
}

// joinFamilies makes one change of two that differ in their family only.
func joinFamilies(changes []PortChange) []PortChange {
	var out []PortChange
	for _, c := range changes {
		twin := slices.IndexFunc(out, func(o PortChange) bool {
			return o.Over != c.Over && slices.Equal(o.Ports, c.Ports) && slices.Equal(o.Fields, c.Fields) && slices.Equal(o.Except, c.Except)
		})
		if twin >= 0 {
			out[twin].Over = ""
		} else {
			out = append(out, c)
		}
	}
	return out
}

// group is the openings to a zone over a family.
type group struct {
	zone   string
	family int
	proto  string
}

func (g group) holds(o proof.Opening) bool {
	return o.Zone == g.zone && o.Family == g.family && o.Proto == g.proto
}

func (g group) ports(openings []proof.Opening) []schema.PortRange {
	var out []schema.PortRange
	for _, o := range openings {
		if g.holds(o) {
			out = append(out, o.Ports...)
		}
	}
	return out
}

// from returns the addresses of the zone. Where rules let in everyone, and name the zone nowhere, it may be the world.
func (g group) from(openings []proof.Opening) []netip.Prefix {
	var world []netip.Prefix
	for _, o := range openings {
		if o.Family != g.family {
			continue
		}
		switch o.Zone {
		case g.zone:
			return o.From
		case proof.Everyone:
			world = o.From
		}
	}
	return world
}

// piece is ports that change alike: on the other side the same zones may use them.
type piece struct {
	ports   []schema.PortRange
	holders []proof.Opening
	except  []string
}

// pieces returns the ports that the group has on one side only, and that some of its addresses cannot use on the other.
func (g group) pieces(has, lacks side) []piece {
	all := []piece{{ports: netset.Subtract(g.ports(has.here), g.ports(lacks.here))}}
	for _, o := range lacks.here {
		if o.Family == g.family && o.Proto == g.proto && o.Zone != schema.Containers && g.zone != schema.Containers {
			all = divide(all, o)
		}
	}
	own := g.from(has.anywhere)
	ever := netset.Without(slices.Concat(own, g.from(lacks.anywhere)), nil)
	var out []piece
	for _, p := range all {
		left := own
		for _, o := range p.holders {
			left = netset.Without(left, o.From)
			if len(netset.Common(ever, o.From)) > 0 && !slices.Contains(p.except, o.Zone) {
				p.except = append(p.except, o.Zone)
			}
		}
		if len(p.ports) > 0 && (len(left) > 0 || len(own) == 0) {
			slices.SortFunc(p.except, func(a, b string) int { return rank(a) - rank(b) })
			out = append(out, p)
		}
	}
	return joinPieces(out)
}

// divide splits the pieces at the ports of an opening, which some others may use.
func divide(pieces []piece, o proof.Opening) []piece {
	var out []piece
	for _, p := range pieces {
		outside := netset.Subtract(p.ports, o.Ports)
		if inside := netset.Subtract(p.ports, outside); len(inside) > 0 {
			out = append(out, piece{ports: inside, holders: append(slices.Clone(p.holders), o)})
		}
		if len(outside) > 0 {
			out = append(out, piece{ports: outside, holders: p.holders})
		}
	}
	return out
}

// joinPieces makes one piece of those that except the same zones.
func joinPieces(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		i := slices.IndexFunc(out, func(o piece) bool { return slices.Equal(o.except, p.except) })
		if i < 0 {
			out = append(out, p)
			continue
		}
		out[i].ports = netset.Subtract(slices.Concat(out[i].ports, p.ports), nil)
	}
	return out
}

// zonesOf returns the zones that the openings name, each once.
func zonesOf(openings []proof.Opening) []string {
	var out []string
	for _, o := range openings {
		if !slices.Contains(out, o.Zone) {
			out = append(out, o.Zone)
		}
	}
	return out
}

// fields are those of the openings that hold some of the ports.
func (g group) fields(openings []proof.Opening, ports []schema.PortRange) []string {
	out := []string{}
	for _, o := range openings {
		if o.Field == "" { // rules of an older skep under a comment that they shared
			continue
		}
		whole := netset.Subtract(o.Ports, nil)
		if g.holds(o) && !slices.Equal(netset.Subtract(o.Ports, ports), whole) && !slices.Contains(out, o.Field) {
			out = append(out, o.Field)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
