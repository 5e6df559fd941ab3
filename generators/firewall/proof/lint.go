package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Lint returns warnings about who may connect, in the order of the checks, and without their places in the spec. They come from the emitted rules wherever these
// can tell.
func (s *Simulator) Lint() finding.List {
	l := &linter{Simulator: s, behind: map[string][]netip.Addr{}}
	l.zones()
	l.overlaps()
	l.management()
	l.users()
	return l.found
}

type linter struct {
	*Simulator
	found  finding.List
	behind map[string][]netip.Addr // see ends
}

func (l *linter) add(id finding.ID, path, text string, args ...string) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	next := finding.Finding{ID: id, Level: finding.Warning, Path: path, Text: fmt.Sprintf(text, values...)}
	if !slices.Contains(l.found, next) {
		l.found = append(l.found, next)
	}
}

// zones finds a zone that is the whole world without saying so, and one that lies in another. That everything lies in
// the whole world is no news.
func (l *linter) zones() {
	whole := l.whole()
	for _, z := range whole {
		if z.name == "cluster" {
			continue
		}
		for _, f := range netset.Families() {
			if z.world(f) && !slices.Contains(l.cluster.Access.Listed(z.name), f.World()) {
				l.add("world-implied", z.field, "is together the whole world; write %q if you mean that", f.World().String())
			}
		}
	}
	for _, inner := range whole {
		for _, outer := range whole {
			if inner.name == "cluster" && outer.name == "users" || inner.name == outer.name || !lies(inner, outer) {
				continue
			}
			path := inner.field
			if inner.name == "cluster" {
				path = outer.field
			}
			l.add("zone-contained", path, "zone %s lies in zone %s: what is open to %s is open to it as well", inner.name, outer.name, outer.name)
		}
	}
}

// whole returns the zones with their prefixes merged: two halves are one network.
func (l *linter) whole() []zone {
	out := slices.Clone(l.Simulator.zones)
	for i, z := range out {
		out[i].prefixes = map[netset.Family][]netip.Prefix{netset.V4: netset.Merge(z.in(netset.V4)), netset.V6: netset.Merge(z.in(netset.V6))}
	}
	return out
}

// lies reports whether all of a zone lies in another that has bounds.
func lies(inner, outer zone) bool {
	if inner.empty() || outer.world(netset.V4) || outer.world(netset.V6) {
		return false
	}
	for _, f := range netset.Families() {
		for _, p := range inner.in(f) {
			i, found := slices.BinarySearchFunc(outer.in(f), p.Addr(), func(o netip.Prefix, a netip.Addr) int { return o.Addr().Compare(a) })
			if !found {
				i--
			}
			if i < 0 || !outer.in(f)[i].Contains(netset.Last(p)) {
				return false
			}
		}
	}
	return true
}

// overlaps compares every row that the spec adds with all others of its protocol.
func (l *linter) overlaps() {
	kept := map[string][]string{}
	rows := l.cluster.Exposures
	for i, a := range rows {
		for _, b := range rows[i+1:] { // sorted by port: a's rule comes first
			if a.Proto != b.Proto || !schema.HasPorts(a.Proto) || b.Port > a.Last || !a.Added() && !b.Added() {
				if b.Port > a.Last {
					break
				}
				continue
			}
			l.overlap(a, b, kept)
		}
	}
	l.plain(kept)
	for _, e := range rows {
		if all := kept[e.Name]; len(all) > 0 {
			l.add("range-reopens", e.Field, "holds ports that are protected, and stay closed to %s: %s", strings.Join(e.From, ", "), finding.Several(all))
		}
	}
}

// overlap notes in kept, by the name of a range, the protected ports in it.
func (l *linter) overlap(a, b schema.Exposure, kept map[string][]string) {
	common := schema.PortRange{First: b.Port, Last: min(a.Last, b.Last)}
	widthA, widthB := a.Last-a.Port, b.Last-b.Port
	switch {
	case widthA == 0 && widthB == 0: // on other nodes; on the same one Load refuses them
	case widthA > widthB:
		l.inside(a, b, common, kept)
	case widthB > widthA:
		l.inside(b, a, common, kept)
	case l.meet(a, b):
		l.add("exposure-shadowed", field(b, a), "%s is open to %s by exposure %s, whose rule comes first", ports(common, a.Proto), strings.Join(a.From, ", "), a.Name)
	}
}

// inside looks at a range that holds the port of a narrower row which not all of the range's zones may reach.
func (l *linter) inside(wide, narrow schema.Exposure, common schema.PortRange, kept map[string][]string) {
	shut := slices.ContainsFunc(wide.From, func(zone string) bool { return !slices.Contains(narrow.From, zone) })
	switch {
	case len(l.Ports(wide)) == 0:
		l.add("exposure-shadowed", field(wide, narrow), "opens nothing: narrower rows hold all of its ports")
	case shut && wide.Added():
		kept[wide.Name] = append(kept[wide.Name], fmt.Sprintf("%s (%s)", ports(common, wide.Proto), narrow.Name))
	}
}

// plain looks for ranges around the Docker API without TLS, which no row opens.
func (l *linter) plain(kept map[string][]string) {
	p := l.cluster.Engine.Ports.Plain
	for _, e := range l.cluster.Exposures {
		if e.Added() && e.Proto == "tcp" && e.Port < e.Last && e.Port <= p && p <= e.Last {
			kept[e.Name] = append(kept[e.Name], fmt.Sprintf("%d/tcp (the Docker API without TLS)", p))
		}
	}
}

// field is where the spec's author can change something: the row that stands in the spec.
func field(e, other schema.Exposure) string {
	if e.Added() {
		return e.Field
	}
	return other.Field
}

func ports(r schema.PortRange, proto string) string { return netset.Span(r, "-") + "/" + proto }

func (l *linter) meet(a, b schema.Exposure) bool {
	return slices.ContainsFunc(l.cluster.Nodes, func(n schema.Node) bool { return a.Includes(n) && b.Includes(n) })
}

// management asks the rules of every node for ssh, from every family that management has.
func (l *linter) management() {
	origins := l.Origins("management")
	var locked []string
	for _, class := range l.classes {
		for _, name := range class.Nodes {
			n := l.cluster.Node(name)
			in := slices.ContainsFunc(origins, func(o Origin) bool {
				to, known := target(n, netset.FamilyOf(o.Address))
				return known && l.Decide(name, newPacket(o, to, "tcp", n.SSH.Port)).Allow
			})
			if !in {
				locked = append(locked, name)
			}
		}
	}
	if slices.Sort(locked); len(locked) > 0 {
		l.add("management-ssh", "access.management", "reaches ssh on no address of %s", finding.Nodes(locked))
	}
}

// users asks the rules of the managers for the Docker API and the swarm's own port, from each network of the users as a
// whole. An address of another zone inside of it may reach them.
func (l *linter) users() {
	e := l.cluster.Engine.Ports
	for i, p := range l.cluster.Access.Users {
		for _, port := range []uint16{e.API, e.Plain, e.Swarm} {
			for _, n := range l.nodes("managers") {
				if v, open := l.wholly(p, n, port); open {
					l.add("api-users", fmt.Sprintf("access.users.%d", i), "reaches %s/tcp on node %s: %s", fmt.Sprint(port), n.Name, v.String())
					break
				}
			}
		}
	}
}

// wholly asks from every stretch of a network that the rules tell apart.
func (l *linter) wholly(network netip.Prefix, n schema.Node, port uint16) (Verdict, bool) {
	f := netset.FamilyOf(network.Addr())
	to, _ := target(n, f)
	network = network.Masked()
	ends := l.ends(l.rules(n.Name, f), f)
	from, _ := slices.BinarySearchFunc(ends, network.Addr(), netip.Addr.Compare)
	asked := []netip.Addr{network.Addr()}
	for ; from < len(ends) && network.Contains(ends[from]); from++ {
		asked = append(asked, ends[from])
	}
	var v Verdict
	for _, a := range asked {
		if v = l.Decide(n.Name, newPacket(Origin{Address: a}, to, "tcp", port)); !v.Allow {
			return v, false
		}
	}
	return v, true
}

// ends returns the first address behind each prefix of the rules' source sets, sorted. It is made once a ruleset.
func (l *linter) ends(s *Ruleset, f netset.Family) []netip.Addr {
	key := fmt.Sprint(s.Path, f)
	if l.behind[key] == nil {
		ends := []netip.Addr{}
		for _, set := range s.addressSets(f, source) {
			for _, p := range set.prefixes {
				if next := netset.Last(p).Next(); next.IsValid() {
					ends = append(ends, next)
				}
			}
		}
		slices.SortFunc(ends, netip.Addr.Compare)
		l.behind[key] = slices.Compact(ends)
	}
	return l.behind[key]
}
