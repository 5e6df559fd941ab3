package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Echo requests stand for ICMP in tests.
const (
	echo4 = 8
	echo6 = 128
)

// question is one packet of a test and the node it goes to.
type question struct {
	node   schema.Node
	packet Packet
}

// String is such as "198.51.100.1 -> m1:443/tcp".
func (q question) String() string {
	return q.packet.Src.String() + " -> " + q.node.Name + service(q.packet)
}

// service writes what a packet asks for: ":443/tcp", or "/icmp".
func service(p Packet) string {
	if p.Proto == "tcp" || p.Proto == "udp" {
		return fmt.Sprintf(":%d/%s", p.Port, p.Proto)
	}
	return "/" + p.Proto
}

// Prove evaluates the spec's tests on the rulesets of its bundle. The error is schema.Mistakes where tests fail.
func Prove(c *schema.Cluster, files []artifact.File) error {
	if len(c.Tests) == 0 {
		return nil
	}
	w, err := NewWall(c, files)
	if err != nil {
		return err
	}
	if failed := w.Prove(); len(failed) > 0 {
		return failed.Ordered()
	}
	return nil
}

// Prove evaluates the spec's tests on the rulesets, and returns the tests that fail, each with the rule that decides.
func (w *Wall) Prove() schema.Mistakes {
	var failed schema.Mistakes
	for i, test := range w.cluster.Tests {
		text := w.wanted(test)
		if test.Only != nil {
			text = w.only(test)
		}
		if text != "" {
			failed = append(failed, w.cluster.Mistake(fmt.Sprintf("tests.%d", i), text))
		}
	}
	return failed
}

// nodes returns one node of each class that a test asks: the others have the same rules.
func (w *Wall) nodes(to string) []schema.Node {
	var out []schema.Node
	seen := map[int]bool{}
	for _, n := range w.cluster.NodesNamed(to) {
		if class := w.ofNode[n.Name]; !seen[class] {
			seen[class] = true
			out = append(out, n)
		}
	}
	return out
}

// wanted returns what is wrong with the answer to a test that wants one, or "".
func (w *Wall) wanted(test schema.Test) string {
	asked := 0
	for _, o := range w.Origins(test.From) {
		for _, n := range w.nodes(test.To) {
			to, known := w.destination(test.To, n, familyOf(o.Address))
			if n.Address == o.Address || n.Public == o.Address || !known && test.Want == "allow" {
				continue
			}
			asked++
			q := question{n, newPacket(o, to, test.Proto, test.Port)}
			if v := w.Decide(n.Name, q.packet); v.Allow != (test.Want == "allow") {
				return fmt.Sprintf("want %s, but %s", test.Want, answer(q, v))
			}
		}
	}
	if asked == 0 && test.Want == "allow" {
		return fmt.Sprintf("want allow, but %s has no address that could ask %s", test.From, test.To)
	}
	return ""
}

// destination is the address that a test asks: the one it names, or the node's of the family.
func (w *Wall) destination(to string, n schema.Node, f family) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(to); err == nil {
		return a, familyOf(a) == f
	}
	return target(n, f)
}

func newPacket(o Origin, to netip.Addr, proto string, port uint16) Packet {
	p := Packet{Device: o.Device, Src: o.Address, Dst: to, Proto: proto, Port: port}
	if proto == "icmp" {
		p.ICMP = map[family]int{v4: echo4, v6: echo6}[familyOf(o.Address)]
	}
	return p
}

// answer says what a packet meets.
func answer(q question, v Verdict) string {
	return fmt.Sprintf("%s is %s", q, v)
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
func (w *Wall) only(test schema.Test) string {
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
		protos = []string{"tcp", "udp", "esp"}
	}
	for _, o := range w.Origins(test.From) {
		for _, n := range w.nodes(test.To) {
			if n.Address == o.Address || n.Public == o.Address {
				continue
			}
			to, _ := w.destination(test.To, n, familyOf(o.Address))
			for _, proto := range protos {
				if text := w.others(n, newPacket(o, to, proto, 0), listed[proto]); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// others returns the first port beside the listed ones that the packet would reach at the node, and how many there are.
func (w *Wall) others(n schema.Node, p Packet, listed []schema.PortRange) string {
	s := w.sets[w.ofNode[n.Name]].of(familyOf(p.Src))
	open := subtract(s.open(p), listed)
	if p.Proto == "esp" {
		open = nil
		if s.Decide(p).Allow {
			open = []schema.PortRange{{}}
		}
	}
	if len(open) == 0 {
		return ""
	}
	p.Port = open[0].First
	text := "wants nothing else to be reached, but " + answer(question{n, p}, s.Decide(p))
	var texts []string
	for _, r := range open {
		texts = append(texts, span(r, "-"))
	}
	if more := len(texts); more > 1 || open[0].First != open[0].Last {
		if more > 5 {
			texts = append(texts[:5], fmt.Sprintf("%d more", more-5))
		}
		text += fmt.Sprintf("; so are %s/%s", strings.Join(texts, ", "), p.Proto)
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
	return union(open)
}

// portBorders returns the first port of every stretch that no rule divides.
func (s *Ruleset) portBorders(proto string) []uint16 {
	starts := []uint16{1}
	for _, c := range s.chains {
		for _, r := range c.rules {
			for _, m := range r.matches {
				if pm, ok := m.(portMatch); ok && pm.proto == proto && !pm.source {
					for _, r := range pm.ranges {
						starts = append(starts, r.First)
						if r.Last < 65535 {
							starts = append(starts, r.Last+1)
						}
					}
				}
			}
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}
