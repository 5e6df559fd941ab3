package proof

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// AskThrough sends packets from a zone, a node or an address to another node or an address by way of a node: one for every way in which the
// rules could tell the senders apart. They arrive on the way back to their sender, or on the interface that a row of
// firewall.forward names. An address of the node itself is no other machine: it is asked by Ask.
func (s *Simulator) AskThrough(via, from, to, proto string, port uint16) []Answer {
	machines := s.cluster.Node(to).Addresses()
	if a, err := netip.ParseAddr(to); err == nil {
		machines = []netip.Addr{a}
	}
	var out []Answer
	seen := map[Verdict]bool{}
	for _, o := range s.Origins(from) {
		i := slices.IndexFunc(machines, func(a netip.Addr) bool { return netset.FamilyOf(a) == netset.FamilyOf(o.Address) && a != o.Address })
		if i < 0 {
			continue
		}
		a := Answer{Node: s.cluster.Node(via), Known: true, Packet: newPacket(s.arriving(via, o), machines[i], proto, port)}
		a.Packet.Elsewhere = true
		a.Verdict = s.Decide(via, a.Packet)
		if seen[a.Verdict] {
			continue
		}
		seen[a.Verdict] = true
		out = append(out, a)
	}
	return out
}

// arriving says on which interface packets of a machine reach the node.
func (s *Simulator) arriving(via string, o Origin) Origin {
	if a := s.cluster.VPNAccess(); a != nil && a.Node == via && a.Subnet.Contains(o.Address) {
		o.Device = a.Device
	}
	for _, f := range s.cluster.Firewall.Forward {
		if n := f.Network(); o.Device == "" && f.Includes(s.cluster.Node(via)) && n.IsValid() && n.Bits() > 0 && n.Contains(o.Address) {
			o.Device = f.Device
		}
	}
	return o
}

// Forward returns the row of firewall.forward that a verdict comes from, if it is one's.
func (s *Simulator) Forward(v Verdict) (row schema.Forward, field string, ok bool) {
	number, ok := strings.CutPrefix(v.Rule.Field, "firewall.forward.")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i >= len(s.cluster.Firewall.Forward) {
		return schema.Forward{}, "", false
	}
	return s.cluster.Firewall.Forward[i], v.Rule.Field, true
}

// Passes returns what the rules pass on for other machines, beside answers, the mesh and clients of the VPN: the matches of
// rows of firewall.forward, and "everything" where a stranger is passed on to a stranger.
func (s *Ruleset) Passes() []string {
	strangers := []Packet{ // addresses for benchmarks (RFC 2544, RFC 5180)
		{Src: netip.MustParseAddr("198.18.0.1"), Dst: netip.MustParseAddr("198.19.0.1"), Elsewhere: true, Proto: "udp", Port: 9},
		{Src: netip.MustParseAddr("2001:2::1"), Dst: netip.MustParseAddr("2001:2:0:1::1"), Elsewhere: true, Proto: "udp", Port: 9},
	}
	if slices.ContainsFunc(strangers, func(p Packet) bool { return s.Decide(p).Allow }) {
		return []string{"everything"}
	}
	var out []string
	for _, c := range s.chains {
		for _, r := range c.rules {
			if strings.HasPrefix(r.field, "firewall.forward.") {
				text, _, _ := strings.Cut(r.text, " goto ")
				text, _, _ = strings.Cut(strings.TrimPrefix(text, "-A "+c.name+" "), " -g ")
				out = append(out, text)
			}
		}
	}
	return out
}
