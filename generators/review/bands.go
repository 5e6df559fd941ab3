package review

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// band is a zone, who is in it, and what it may reach.
type band struct {
	class, zone string
	members     [][]span
	rows        []bandRow
	also        []line // below the rows
}

// bandRow is ports for one purpose, and the classes on which they are open.
type bandRow struct {
	ports []line
	why   []line
	on    []bool
}

func (r bandRow) lines() []line { return columns(r.ports, r.why, portsWidth) }

// bands returns a band for each zone that an exposure names, then those of what nodes pass on.
func (p *picture) bands() []band {
	var names []string
	for _, e := range p.cluster.Exposures {
		names = append(names, e.From...)
	}
	if p.usersInside() {
		names = append(names, schema.Containers)
	}
	var out []band
	for _, zone := range byRank(names) {
		b := band{class: zone, zone: zone, members: p.members(zone)}
		if !p.empty(zone) {
			b.rows = p.rows(zone)
		}
		if zone == schema.Containers && p.usersInside() {
			b.also = []line{{{class: "quiet", text: "and whatever users may reach on the node"}}}
		}
		out = append(out, b)
	}
	return append(out, p.passed()...)
}

// empty reports whether nobody is in a zone: what is open to it is open to nobody.
func (p *picture) empty(zone string) bool {
	switch zone {
	case "public":
		return !slices.ContainsFunc(p.cluster.Nodes, func(n schema.Node) bool { return n.Public.IsValid() })
	case "management", "nuvla", "users":
		return len(p.cluster.Zone(zone)) == 0
	}
	return false
}

// listed addresses of a zone; the README has those of a longer list.
const listed = 8

// members says who is in a zone, as the README does, one a line. Whoever is everybody is told so.
func (p *picture) members(zone string) [][]span {
	all := Members(p.cluster, zone)
	var out [][]span
	var families []string
	for _, f := range netset.Families() {
		if in := netset.OfFamily(f, p.cluster.Zone(zone)); len(in) == 1 && in[0].Bits() == 0 {
			families = append(families, fmt.Sprintf("IPv%d", f))
		}
	}
	if len(families) > 0 {
		out = append(out, words("world", "everyone over "+strings.Join(families, " and ")))
	}
	for i, m := range all {
		if i == listed-1 && len(all) > listed {
			out = append(out, words("quiet", fmt.Sprintf("and %d more", len(all)-i)))
			break
		}
		out = append(out, words("quiet", m))
	}
	return out
}

// usersInside reports whether containers have addresses of users: the rules let them in with these.
func (p *picture) usersInside() bool {
	opens := slices.ContainsFunc(p.cluster.Exposures, func(e schema.Exposure) bool { return slices.Contains(e.From, "users") })
	return opens && slices.ContainsFunc(p.cluster.Zone("users"), func(n netip.Prefix) bool {
		return n.Bits() == 0 || n.Overlaps(p.cluster.Engine.Bridges.Subnet)
	})
}

// rows returns what the zone may reach, in the order of ports. Ports of one purpose on the same nodes are one row; of a
// range it has the pieces that the rules open.
func (p *picture) rows(zone string) []bandRow {
	type opening struct {
		why   string
		on    []bool
		ports map[string][]schema.PortRange // by protocol
	}
	var all []*opening
	byKey := map[string]*opening{}
	for _, e := range p.cluster.Exposures {
		ports := p.ports.Ports(e)
		if !slices.Contains(e.From, zone) || schema.HasPorts(e.Proto) && len(ports) == 0 {
			continue
		}
		on := p.on(func(class int) bool { return p.opens[class][e.Name] })
		why := e.Why
		if e.Expires != "" {
			why += ", until " + e.Expires
		}
		key := fmt.Sprint(why, on)
		if byKey[key] == nil {
			byKey[key] = &opening{why, on, map[string][]schema.PortRange{}}
			all = append(all, byKey[key])
		}
		byKey[key].ports[e.Proto] = append(byKey[key].ports[e.Proto], ports...)
	}
	var out []bandRow
	for _, o := range all {
		out = append(out, bandRow{portLines(o.ports), filled(whyWidth, words("", o.why)...), o.on})
	}
	return out
}

// on says of which classes something holds.
func (p *picture) on(holds func(class int) bool) []bool {
	on := make([]bool, len(p.classes))
	for i := range on {
		on[i] = holds(i)
	}
	return on
}

// portLines writes "7946/tcp+udp", "32768-33332, 33337-60999/tcp", or the name of a protocol without ports.
func portLines(ports map[string][]schema.PortRange) []line {
	protos := map[string][]string{}
	var texts []string
	for _, proto := range slices.Sorted(maps.Keys(ports)) {
		var pieces []string
		for _, r := range netset.Union(ports[proto]) {
			pieces = append(pieces, netset.Span(r, "-"))
		}
		text := strings.Join(pieces, ", ")
		if protos[text] == nil {
			texts = append(texts, text)
		}
		protos[text] = append(protos[text], proto)
	}
	var out []line
	for _, text := range texts {
		all := strings.Join(protos[text], "+")
		if text != "" {
			all = text + "/" + all
		}
		out = append(out, filled(portsWidth-textGap, words("code", all)...)...)
	}
	return out
}

// passed returns a band of packets for other machines, which nodes pass on: of the VPN's clients and the mesh's members, and
// by the rows of firewall.forward.
func (p *picture) passed() []band {
	b := band{class: "others", zone: "through the nodes", members: [][]span{words("quiet", "packets for other machines, which these nodes pass on")}}
	add := func(from, to, why string, holds func(class int) bool) {
		way := []span{{class: "code", text: from}, {class: "quiet", text: "to"}, {class: "code", text: to}}
		b.rows = append(b.rows, bandRow{filled(portsWidth+whyWidth, append(way, words("", why)...)...), nil, p.on(holds)})
	}
	if a := p.cluster.VPNAccess(); a != nil {
		for _, to := range a.Routes {
			add(a.Subnet.String(), to.String(), "clients of the VPN", func(class int) bool { return p.opens[class]["vpn-access"] })
		}
	}
	if m := p.cluster.Mesh(); m != nil {
		add(m.Subnet.String(), m.Subnet.String(), "members of the mesh", func(int) bool { return true })
	}
	for i, f := range p.cluster.Firewall.Forward {
		why := f.Why
		if f.Device != "" {
			why += ", from " + f.Device
		}
		add(f.From, f.To.String(), why, func(class int) bool { return slices.Contains(p.classes[class].Forward, i) })
	}
	if len(b.rows) == 0 {
		return nil
	}
	return []band{b}
}

// byRank returns each zone once: those outside before the cluster, as in the table of the README.
func byRank(zones []string) []string {
	known := slices.Insert(schema.Zones(), len(schema.AccessZones()), "")
	rank := func(zone string) int {
		if i := slices.Index(known, zone); i >= 0 {
			return i
		}
		return slices.Index(known, "")
	}
	out := slices.Sorted(slices.Values(zones))
	slices.SortStableFunc(out, func(a, b string) int { return rank(a) - rank(b) })
	return slices.Compact(out)
}
