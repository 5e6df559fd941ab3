package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// Plan is what changes from one bundle to another.
type Plan struct {
	Firewall Firewall `json:"firewall"`
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool { return p.Firewall.empty() }

// Firewall is what the rules of the new bundle let in and those of the old one did not, and the reverse.
type Firewall struct {
	Ports     []PortChange    `json:"ports"`     // what is closed first; then by zone, role, protocol and port
	Addresses []AddressChange `json:"addresses"` // of zones that both name
	Nodes     []NodeChange    `json:"nodes"`
}

func (f Firewall) empty() bool { return len(f.Ports)+len(f.Addresses)+len(f.Nodes) == 0 }

// PortChange is ports of some nodes of one role that are "opened" or "closed" to a zone.
type PortChange struct {
	Change string             `json:"change"`
	Zone   string             `json:"zone"`
	Role   string             `json:"role"`
	Nodes  []string           `json:"nodes"`
	All    bool               `json:"all"` // they are all nodes of the role
	Proto  string             `json:"proto"`
	Ports  []schema.PortRange `json:"ports"`  // 0 for esp
	Fields []string           `json:"fields"` // of the spec that decide
}

// AddressChange is addresses that a zone gains or loses.
type AddressChange struct {
	Zone    string         `json:"zone"`
	Added   []netip.Prefix `json:"added"`
	Removed []netip.Prefix `json:"removed"`
}

// NodeChange is a node that is "added" or "removed", or one whose "role" changes.
type NodeChange struct {
	Change string `json:"change"`
	Node   string `json:"node"`
	Role   string `json:"role"`
}

// Compare returns what changes from the old bundle to the new one.
func Compare(before, after *Bundle) Plan {
	return Plan{Firewall: Firewall{
		Ports:     ports(before, after),
		Addresses: addresses(before, after),
		Nodes:     nodes(before, after),
	}}
}

func nodes(before, after *Bundle) []NodeChange {
	out := []NodeChange{}
	for _, n := range before.nodes {
		if _, ok := after.node(n.name); !ok {
			out = append(out, NodeChange{"removed", n.name, n.role})
		}
	}
	for _, n := range after.nodes {
		old, ok := before.node(n.name)
		switch {
		case !ok:
			out = append(out, NodeChange{"added", n.name, n.role})
		case old.role != n.role:
			out = append(out, NodeChange{"role", n.name, n.role})
		}
	}
	slices.SortStableFunc(out, func(a, b NodeChange) int { return strings.Compare(a.Node, b.Node) })
	return out
}

func addresses(before, after *Bundle) []AddressChange {
	old, now := zones(before), zones(after)
	out := []AddressChange{}
	for _, zone := range schema.Zones() {
		if old[zone] == nil || now[zone] == nil {
			continue
		}
		c := AddressChange{zone, firewall.Without(now[zone], old[zone]), firewall.Without(old[zone], now[zone])}
		if len(c.Added)+len(c.Removed) == 0 {
			continue
		}
		if c.Added == nil {
			c.Added = []netip.Prefix{}
		}
		if c.Removed == nil {
			c.Removed = []netip.Prefix{}
		}
		out = append(out, c)
	}
	return out
}

func zones(b *Bundle) map[string][]netip.Prefix {
	var all []*firewall.Ruleset
	for _, sets := range b.rulesets {
		all = append(all, sets...)
	}
	return firewall.ZoneAddresses(all)
}

// move is a node's way from one class to another; "" is none. All nodes of one move change alike.
type move struct{ role, from, to string }

func ports(before, after *Bundle) []PortChange {
	moves := map[move][]string{}
	size := map[string]int{}
	for _, n := range after.nodes {
		old, _ := before.node(n.name)
		moves[move{n.role, old.class, n.class}] = append(moves[move{n.role, old.class, n.class}], n.name)
		size[n.role]++
	}
	for _, n := range before.nodes {
		if _, ok := after.node(n.name); !ok {
			moves[move{n.role, n.class, ""}] = append(moves[move{n.role, n.class, ""}], n.name)
		}
	}
	merged := map[string]*PortChange{}
	for m, names := range moves {
		old, now := before.openings[m.from], after.openings[m.to]
		for _, c := range append(difference("opened", now, old), difference("closed", old, now)...) {
			c.Role = m.role
			key := fmt.Sprint(c)
			if merged[key] == nil {
				merged[key] = &c
			}
			merged[key].Nodes = append(merged[key].Nodes, names...)
		}
	}
	out := []PortChange{}
	for _, c := range merged {
		slices.Sort(c.Nodes)
		c.All = len(c.Nodes) == size[c.Role] && size[c.Role] > 0
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b PortChange) int {
		return cmp.Or(strings.Compare(a.Change, b.Change), cmp.Compare(rank(a.Zone), rank(b.Zone)), strings.Compare(a.Zone, b.Zone),
			strings.Compare(a.Role, b.Role), strings.Compare(a.Proto, b.Proto), cmp.Compare(a.Ports[0].First, b.Ports[0].First), slices.Compare(a.Nodes, b.Nodes))
	})
	return out
}

// rank puts everyone first, then the zones in their order.
func rank(zone string) int { return slices.Index(schema.Zones(), zone) }

// difference returns what the openings of one class have and those of the other lack, by zone and protocol. What
// everyone gets is not told again for each zone.
func difference(change string, has, lacks []firewall.Opening) []PortChange {
	var out []PortChange
	for _, proto := range protocols(has) {
		everyone := firewall.PortsWithout(open(has, firewall.Everyone, proto), open(lacks, firewall.Everyone, proto))
		for _, zone := range zonesOf(has) {
			left := firewall.PortsWithout(open(has, zone, proto), open(lacks, zone, proto))
			if zone != firewall.Everyone && zone != "containers" {
				left = firewall.PortsWithout(left, append(everyone, open(lacks, firewall.Everyone, proto)...))
			}
			if len(left) > 0 {
				out = append(out, PortChange{Change: change, Zone: zone, Proto: proto, Ports: left, Fields: fields(has, zone, proto, left)})
			}
		}
	}
	return out
}

// protocols are tcp and udp, and then the others.
func protocols(openings []firewall.Opening) []string {
	var others []string
	for _, o := range openings {
		if !schema.HasPorts(o.Proto) {
			others = append(others, o.Proto)
		}
	}
	slices.Sort(others)
	return append([]string{"tcp", "udp"}, slices.Compact(others)...)
}

func zonesOf(openings []firewall.Opening) []string {
	var out []string
	for _, o := range openings {
		if !slices.Contains(out, o.Zone) {
			out = append(out, o.Zone)
		}
	}
	return out
}

func open(openings []firewall.Opening, zone, proto string) []schema.PortRange {
	var out []schema.PortRange
	for _, o := range openings {
		if o.Zone == zone && o.Proto == proto {
			out = append(out, o.Ports...)
		}
	}
	return out
}

// fields are those of the openings that hold some of the ports.
func fields(openings []firewall.Opening, zone, proto string, ports []schema.PortRange) []string {
	out := []string{}
	for _, o := range openings {
		overlap := len(firewall.PortsWithout(o.Ports, ports)) == 0 || !slices.Equal(firewall.PortsWithout(o.Ports, ports), firewall.PortsWithout(o.Ports, nil))
		if o.Zone == zone && o.Proto == proto && overlap && !slices.Contains(out, o.Field) {
			out = append(out, o.Field)
		}
	}
	slices.Sort(out)
	return out
}
