package proof

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// Packet is the first packet of a connection, as a node sees it before Docker translates its address.
type Packet struct {
	Device    string // where it arrives; "" for any interface that no rule names
	Src, Dst  netip.Addr
	Elsewhere bool   // Dst is another machine's address: the node would pass the packet on
	Proto     string // "tcp", "udp", one without ports such as "esp", or "icmp", which is ICMPv6 between IPv6 addresses
	SrcPort   uint16
	Port      uint16
	ICMP      int    // type
	State     string // of connection tracking; "" for "new"
	Stray     bool   // the way back to Src is not by Device; unless said, a packet arrives by the way to its sender
}

// match is one condition of a rule.
type match interface{ holds(p *Packet) bool }

type (
	deviceMatch    struct{ name string } // a last "*" stands for any ending
	deviceMismatch struct{ name string }
	stateMatch     []string
	elsewhereMatch struct{}
	strayMatch     struct{}
	wayBackMatch   struct{}
	crowdMatch     struct{}
	familyMatch    netset.Family
	protoMatch     string
	portMatch      struct {
		proto  string
		source bool
		ranges []schema.PortRange // sorted, disjoint
	}
	addressMatch struct {
		source bool
		set    *addressSet
	}
	icmpMatch struct {
		family  netset.Family
		numbers []int
	}
	logMatch struct{} // of rules that only log
)

func (m deviceMatch) holds(p *Packet) bool {
	if prefix, ok := strings.CutSuffix(m.name, "*"); ok {
		return strings.HasPrefix(p.Device, prefix)
	}
	return p.Device == m.name
}

func (m deviceMismatch) holds(p *Packet) bool { return p.Device != m.name }
func (m stateMatch) holds(p *Packet) bool     { return slices.Contains(m, cmp.Or(p.State, "new")) }
func (elsewhereMatch) holds(p *Packet) bool   { return p.Elsewhere }
func (strayMatch) holds(p *Packet) bool       { return p.Stray }
func (wayBackMatch) holds(p *Packet) bool     { return !p.Stray }
func (crowdMatch) holds(*Packet) bool         { return false } // the first connection is none too many
func (m familyMatch) holds(p *Packet) bool    { return netset.FamilyOf(p.Src) == netset.Family(m) }
func (m protoMatch) holds(p *Packet) bool     { return p.Proto == string(m) }
func (logMatch) holds(*Packet) bool           { return true }

func (m portMatch) holds(p *Packet) bool {
	port := p.Port
	if m.source {
		port = p.SrcPort
	}
	return p.Proto == m.proto && netset.Contains(m.ranges, port)
}

func (m addressMatch) holds(p *Packet) bool {
	if m.source {
		return m.set.contains(p.Src)
	}
	return m.set.contains(p.Dst)
}

func (m icmpMatch) holds(p *Packet) bool {
	return p.Proto == "icmp" && netset.FamilyOf(p.Src) == m.family && slices.Contains(m.numbers, p.ICMP)
}

// addressSet is prefixes of one family as a ruleset has them, sorted. lines are where each stands, where they are rules
// of their own.
type addressSet struct {
	name     string
	field    string // the comment above it: the field of the spec
	family   netset.Family
	prefixes []netip.Prefix
	lines    []int
}

// add appends a prefix; it reports false when the result would not be sorted and disjoint.
func (s *addressSet) add(p netip.Prefix, line int) bool {
	if n := len(s.prefixes); n > 0 && (s.prefixes[n-1].Overlaps(p) || s.prefixes[n-1].Addr().Compare(p.Addr()) >= 0) {
		return false
	}
	s.prefixes, s.lines = append(s.prefixes, p), append(s.lines, line)
	return true
}

func (s *addressSet) contains(a netip.Addr) bool { return s.find(a) >= 0 }

// find returns the index of the prefix that holds the address, or -1.
func (s *addressSet) find(a netip.Addr) int {
	if netset.FamilyOf(a) != s.family {
		return -1
	}
	i := sort.Search(len(s.prefixes), func(i int) bool { return s.prefixes[i].Addr().Compare(a) > 0 }) - 1
	if i < 0 || !s.prefixes[i].Contains(a) {
		return -1
	}
	return i
}
