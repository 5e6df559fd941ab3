package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Echo requests stand for ICMP in tests.
const (
	echo4 = 8
	echo6 = 128
)

// service writes what a packet asks for: ":443/tcp", or "/icmp".
func service(p Packet) string {
	if p.Proto == "tcp" || p.Proto == "udp" {
		return fmt.Sprintf(":%d/%s", p.Port, p.Proto)
	}
	return "/" + p.Proto
}

// Failed evaluates the spec's tests on the rulesets, and returns those that fail, each with the rule that decides.
func (s *Simulator) Failed() finding.List {
	var failed finding.List
	for i, test := range s.cluster.Tests {
		text := s.wanted(test)
		if test.Only != nil {
			text = s.only(test)
		}
		if text != "" {
			failed = append(failed, finding.Finding{ID: finding.TestFailed, Level: finding.Mistake, Path: fmt.Sprintf("tests.%d", i), Text: text})
		}
	}
	return failed
}

// nodes returns one node of each class that a test asks: the others have the same rules.
func (s *Simulator) nodes(to string) []schema.Node {
	var out []schema.Node
	seen := map[int]bool{}
	for _, n := range s.cluster.NodesNamed(to) {
		if class := s.ofNode[n.Name]; !seen[class] {
			seen[class] = true
			out = append(out, n)
		}
	}
	return out
}

// Answer is what one packet of a question meets. Known is false where the spec has no address of the packet's family for
// the node: the rules answer all the same.
type Answer struct {
	Node    schema.Node
	Packet  Packet
	Verdict Verdict
	Known   bool
}

// String is such as "198.51.100.1 -> m1:443/tcp is allowed by firewall/manager.nft:40: tcp dport 443 accept (services.traefik)".
func (a Answer) String() string {
	return fmt.Sprintf("%s -> %s%s is %s", a.Packet.Src, a.Node.Name, service(a.Packet), a.Verdict)
}

// Ask sends packets from a zone, a node or an address to a node, an address of one or a group: one for every way in which
// the rules could tell the senders apart, and for each class of nodes. A node does not ask itself.
func (s *Simulator) Ask(from, to, proto string, port uint16) []Answer {
	type kind struct {
		node    string
		family  netset.Family
		verdict Verdict
	}
	var out []Answer
	seen := map[kind]bool{}
	for _, o := range s.Origins(from) {
		for _, n := range s.nodes(to) {
			if slices.Contains(n.Addresses(), o.Address) {
				continue
			}
			a := Answer{Node: n}
			var address netip.Addr
			address, a.Known = s.destination(to, n, netset.FamilyOf(o.Address))
			a.Packet = newPacket(o, address, proto, port)
			a.Verdict = s.Decide(n.Name, a.Packet)
			if k := (kind{n.Name, netset.FamilyOf(o.Address), a.Verdict}); proto != "icmp" && !schema.HasPorts(proto) || port != 0 {
				if seen[k] {
					continue
				}
				seen[k] = true
			}
			out = append(out, a)
		}
	}
	return out
}

// wanted returns what is wrong with the answer to a test that wants one, or "".
func (s *Simulator) wanted(test schema.Test) string {
	asked := 0
	for _, a := range s.Ask(test.From, test.To, test.Proto, test.Port) {
		if !a.Known && test.Want == "allow" {
			continue
		}
		if asked++; a.Verdict.Allow != (test.Want == "allow") {
			return fmt.Sprintf("want %s, but %s", test.Want, a)
		}
	}
	if asked == 0 && test.Want == "allow" {
		return fmt.Sprintf("want allow, but %s has no address that could ask %s", test.From, test.To)
	}
	return ""
}

// destination is the address that a test asks: the one it names, or the node's of the family.
func (s *Simulator) destination(to string, n schema.Node, f netset.Family) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(to); err == nil {
		return a, netset.FamilyOf(a) == f
	}
	return target(n, f)
}

func newPacket(o Origin, to netip.Addr, proto string, port uint16) Packet {
	p := Packet{Device: o.Device, Src: o.Address, Dst: to, Proto: proto, Port: port}
	if proto == "icmp" {
		p.ICMP = map[netset.Family]int{netset.V4: echo4, netset.V6: echo6}[netset.FamilyOf(o.Address)]
	}
	return p
}

// String is such as "allowed by firewall/worker.nft:40: tcp dport 22 goto from_management (nodes.*.ssh.port)".
func (v Verdict) String() string {
	text := map[bool]string{true: "allowed", false: "denied"}[v.Allow] + " by " + v.Rule.String()
	if v.Rule.Field != "" {
		text += " (" + v.Rule.Field + ")"
	}
	return text
}

// only returns what else may be reached than the ports of a test, or "".
func (s *Simulator) only(test schema.Test) string {
	var listed = map[string][]schema.PortRange{}
	for _, p := range test.Only {
		r, proto, _ := p.Range()
		if proto == "" {
			proto = cmp.Or(map[string]string{"udp": "udp"}[test.Proto], "tcp")
		}
		listed[proto] = append(listed[proto], r)
	}
	protos := []string{test.Proto}
	if test.Proto == "all" {
		protos = protocols(s.cluster)
	}
	for _, proto := range protos {
		for _, a := range s.Ask(test.From, test.To, proto, 0) {
			if text := s.others(a, listed[proto]); text != "" {
				return text
			}
		}
	}
	return ""
}

// others returns the first port beside the listed ones that the packet would reach, and how many there are.
func (s *Simulator) others(a Answer, listed []schema.PortRange) string {
	const but = "expected nothing else to be reachable, but "
	if !schema.HasPorts(a.Packet.Proto) {
		if a.Verdict.Allow {
			return but + a.String()
		}
		return ""
	}
	rules := s.rules(a.Node.Name, netset.FamilyOf(a.Packet.Src))
	open := netset.Subtract(rules.open(a.Packet), listed)
	if len(open) == 0 {
		return ""
	}
	a.Packet.Port = open[0].First
	a.Verdict = rules.Decide(a.Packet)
	text := but + a.String()
	var texts []string
	for _, r := range open {
		texts = append(texts, ports(r, a.Packet.Proto))
	}
	if len(texts) > 1 || open[0].First != open[0].Last {
		text += "; so are " + finding.Several(texts)
	}
	return text
}

// open returns the ports that the packet could ask for and be let in, sorted.
func (s *Ruleset) open(p Packet) []schema.PortRange {
	var open []schema.PortRange
	starts := s.portBorders(p.Proto)
	for i, first := range starts {
		p.Port = first
		if !s.Decide(p).Allow {
			continue
		}
		r := schema.PortRange{First: first, Last: 65535}
		if i+1 < len(starts) {
			r.Last = starts[i+1] - 1
		}
		open = append(open, r)
	}
	return netset.Union(open)
}

// portBorders returns the first port of every stretch that no rule divides.
func (s *Ruleset) portBorders(proto string) []uint16 {
	var sets [][]schema.PortRange
	for _, m := range s.portMatches(proto) {
		sets = append(sets, m.ranges)
	}
	return portStarts(sets)
}

// portStarts returns the first port of every stretch that no set divides, sorted.
func portStarts(sets [][]schema.PortRange) []uint16 {
	starts := []uint16{1}
	for _, set := range sets {
		for _, r := range set {
			starts = append(starts, r.First)
			if r.Last < 65535 {
				starts = append(starts, r.Last+1)
			}
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}
