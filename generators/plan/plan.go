package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// Plan is what changes from one bundle to another.
type Plan struct {
	Firewall Firewall        `json:"firewall"`
	Settings []SettingChange `json:"settings,omitempty"`
	Engines  []EngineChange  `json:"engines,omitempty"`
	Stacks   []StackChange   `json:"stacks,omitempty"` // data that stays behind first, then what Docker will not do
	Files    []FileChange    `json:"files"`            // of the bundle, by path

	Certificates []CertificateChange `json:"certificates,omitempty"`
	HandOvers    []HandOver          `json:"handOvers,omitempty"` // what has to be ready before the run
	Steps        []StepChange        `json:"steps,omitempty"`     // that may find something to do

	old, new manifest
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool {
	return p.Firewall.empty() && len(p.Settings)+len(p.Engines)+len(p.Stacks)+len(p.Files) == 0
}

// Firewall is what the rules of the new bundle let in and those of the old one did not, and the reverse.
type Firewall struct {
	Ports     []PortChange    `json:"ports"`     // what is closed first; then by zone, role, protocol and port
	Addresses []AddressChange `json:"addresses"` // of zones that both name
	Nodes     []NodeChange    `json:"nodes"`
	Transit   []TransitChange `json:"transit,omitempty"` // what is closed first
}

func (f Firewall) empty() bool { return len(f.Ports)+len(f.Addresses)+len(f.Nodes)+len(f.Transit) == 0 }

// Where is some nodes of one role.
type Where struct {
	Role  string   `json:"role"`
	Nodes []string `json:"nodes"`
	All   bool     `json:"all"` // they are all nodes of the role
}

// PortChange is ports of some nodes of one role that are "opened" or "closed" to a zone: to all of its addresses of the
// family, both families unless told, that are in none of the zones that it excepts. Those could connect before, and still can.
type PortChange struct {
	Change string   `json:"change"`
	Zone   string   `json:"zone"`           // one of the spec's, or "everyone"
	Over   string   `json:"over,omitempty"` // "IPv4" or "IPv6", where the zone has, or had, addresses of the other one
	Except []string `json:"except,omitempty"`
	Where
	Proto  string             `json:"proto"`
	Ports  []schema.PortRange `json:"ports"`  // 0 for esp
	Fields []string           `json:"fields"` // of the spec that decide
}

// AddressChange is addresses that a zone gains or loses, of a family of which it had, and has, some.
type AddressChange struct {
	Zone    string         `json:"zone"`
	Added   []netip.Prefix `json:"added"`
	Removed []netip.Prefix `json:"removed"`
}

// NodeChange is a node that is "added" or "removed", or one whose "role" or "address" changes.
type NodeChange struct {
	Change  string `json:"change"`
	Node    string `json:"node"`
	Role    string `json:"role"`
	Address string `json:"address,omitempty"` // the new one, where it changes
}

// Compare returns what changes from the old bundle to the new one.
func Compare(before, after *Bundle) (Plan, error) {
	stacks, err := stackChanges(before, after)
	p := Plan{Firewall: Firewall{
		Ports:     ports(before, after),
		Addresses: addresses(before, after),
		Nodes:     nodes(before, after),
		Transit:   transit(before, after),
	}, Settings: changed(before, after), Engines: engines(before, after), Stacks: stacks, Files: files(before, after), old: before.manifest, new: after.manifest}
	p.Certificates, p.HandOvers = certificates(before, after), handOvers(before, after)
	p.Engines = append(p.Engines, restartsFor(p.Certificates, p.Engines, after)...)
	p.Steps = steps(before, after, p)
	return p, err
}

func nodes(before, after *Bundle) []NodeChange {
	out := []NodeChange{}
	for _, n := range before.nodes {
		if _, ok := after.node(n.name); !ok {
			out = append(out, NodeChange{Change: "removed", Node: n.name, Role: n.role})
		}
	}
	for _, n := range after.nodes {
		old, ok := before.node(n.name)
		if !ok {
			out = append(out, NodeChange{Change: "added", Node: n.name, Role: n.role})
			continue
		}
		if old.role != n.role {
			out = append(out, NodeChange{Change: "role", Node: n.name, Role: n.role})
		}
		if old.address != n.address {
			out = append(out, NodeChange{Change: "address", Node: n.name, Role: n.role, Address: n.address})
		}
	}
	slices.SortStableFunc(out, func(a, b NodeChange) int { return strings.Compare(a.Node, b.Node) })
	return out
}

func addresses(before, after *Bundle) []AddressChange {
	old, now := zones(before), zones(after)
	out := []AddressChange{}
	for _, zone := range schema.Zones() {
		c := AddressChange{Zone: zone, Added: []netip.Prefix{}, Removed: []netip.Prefix{}}
		for _, f := range families {
			had, has := ofFamily(old[zone], f), ofFamily(now[zone], f)
			if len(had) > 0 && len(has) > 0 { // else its ports are opened or closed over that family
				c.Added = append(c.Added, netset.Without(has, had)...)
				c.Removed = append(c.Removed, netset.Without(had, has)...)
			}
		}
		if len(c.Added)+len(c.Removed) > 0 {
			out = append(out, c)
		}
	}
	return out
}

var families = []int{4, 6}

func ofFamily(prefixes []netip.Prefix, family int) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool { return p.Addr().Is4() != (family == 4) })
}

func zones(b *Bundle) map[string][]netip.Prefix {
	var all []*proof.Ruleset
	for _, sets := range b.rulesets {
		all = append(all, sets...)
	}
	return proof.ZoneAddresses(all)
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
		old, now := before.side(m.from), after.side(m.to)
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
			strings.Compare(a.Role, b.Role), strings.Compare(a.Proto, b.Proto), strings.Compare(a.Over, b.Over), cmp.Compare(a.Ports[0].First, b.Ports[0].First), slices.Compare(a.Nodes, b.Nodes))
	})
	return out
}

// rank puts everyone first, then the zones in their order.
func rank(zone string) int { return slices.Index(schema.Zones(), zone) }
