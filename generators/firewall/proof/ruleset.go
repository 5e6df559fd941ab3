package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/firewall/netset"
)

// Ruleset is the rules of one file of a bundle, read back from its text. It knows exactly what skep writes.
type Ruleset struct {
	Path string
	dialect
	chains map[string]*ruleChain
	sets   map[string]*addressSet
}

// dialect is what a backend's rulesets have in common.
type dialect struct {
	base     string // the chain that every packet meets first
	inside   string // the chain of packets from the node's own containers
	refuse   string // the chain that drops and logs
	policy   action // what becomes of a packet that no rule decides
	families []netset.Family
}

type ruleChain struct {
	name  string
	line  int
	rules []*rule
}

type action int

const (
	proceed action = iota // to the next rule, or back to the caller at the end of a chain
	accept
	back // to the chain that jumped here
	drop
	jump
	goTo
)

// rule is one line of a chain. For iptables, neighbours that differ in their address only are one rule with a set.
type rule struct {
	line    int
	text    string
	field   string // the comment above it: the field of the spec
	matches []match
	action  action
	target  string // of jump and goTo
}

func (r *rule) holds(p *Packet) bool {
	for _, m := range r.matches {
		if !m.holds(p) {
			return false
		}
	}
	return true
}

// place is the line that decided about the packet: that of the prefix where a rule stands for many.
func (r *rule) place(p *Packet) int {
	for _, m := range r.matches {
		if a, ok := m.(addressMatch); ok && a.set.name == "" {
			address := p.Dst
			if a.source {
				address = p.Src
			}
			if i := a.set.find(address); i >= 0 {
				return a.set.lines[i]
			}
		}
	}
	return r.line
}

// opens returns the protocol and ports that the rule opens, if it opens any.
func (r *rule) opens() (proto string, ports portMatch, ok bool) {
	for _, m := range r.matches {
		switch m := m.(type) {
		case portMatch:
			if m.source { // the answers of address servers
				return "", portMatch{}, false
			}
			proto, ports, ok = m.proto, m, true
		case protoMatch:
			proto, ok = string(m), true
		}
	}
	return proto, ports, ok && (r.action == accept || r.action == goTo)
}

// answers reports whether the rule asks for the port of a server, so far.
func (r *rule) answers() bool {
	return slices.ContainsFunc(r.matches, func(m match) bool {
		p, ok := m.(portMatch)
		return ok && p.source
	})
}

// ends is which end of a packet's way an address stands for.
type ends int

const (
	source ends = iota
	destination
)

// addressSets returns the sets of a family that rules ask for at one end, in the order of the chains' names.
func (s *Ruleset) addressSets(f netset.Family, end ends) []*addressSet {
	var out []*addressSet
	for _, name := range slices.Sorted(maps.Keys(s.chains)) {
		for _, r := range s.chains[name].rules {
			for _, m := range r.matches {
				if a, ok := m.(addressMatch); ok && a.source == (end == source) && a.set.family == f {
					out = append(out, a.set)
				}
			}
		}
	}
	return out
}

// portMatches returns what the rules ask of the port that a packet goes to.
func (s *Ruleset) portMatches(proto string) []portMatch {
	var out []portMatch
	for _, name := range slices.Sorted(maps.Keys(s.chains)) {
		for _, r := range s.chains[name].rules {
			for _, m := range r.matches {
				if p, ok := m.(portMatch); ok && p.proto == proto && !p.source {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// Line is a rule and its place in a bundle.
type Line struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Text  string `json:"text"`
	Field string `json:"field,omitempty"` // the comment above it: the field of the spec
}

// String is such as "firewall/worker.nft:40: tcp dport 22 goto from_management".
func (l Line) String() string { return fmt.Sprintf("%s:%d: %s", l.Path, l.Line, l.Text) }

// Verdict is a packet's fate. Rule decides: the one that names its port, or else the rule that ended its way. By is
// the last rule that it met: there it was let in, or refused.
type Verdict struct {
	Allow bool `json:"allow"`
	Rule  Line `json:"rule"`
	By    Line `json:"by"`
}

// Decide walks the packet through the rules.
func (s *Ruleset) Decide(p Packet) Verdict {
	w := walk{set: s, packet: &p}
	result := w.chain(s.chains[s.base])
	if result == proceed {
		result = s.policy
		c := s.chains[s.base]
		w.last = Line{Path: s.Path, Line: c.line, Text: "end of chain " + c.name}
	}
	if w.named.Path == "" {
		w.named = w.last
		if w.left.Path != "" && (result == drop || w.left.Field != "") {
			w.named = w.left
		}
	}
	return Verdict{Allow: result == accept, Rule: w.named, By: w.last}
}

// walk is one packet's way.
type walk struct {
	set    *Ruleset
	packet *Packet
	named  Line // the last rule that names its port
	left   Line // the last rule that sent it on
	last   Line
}

func (w *walk) chain(c *ruleChain) action {
	for _, r := range c.rules {
		if r.action == proceed || !r.holds(w.packet) {
			continue
		}
		at := Line{Path: w.set.Path, Line: r.place(w.packet), Text: r.text, Field: r.field}
		if _, _, ok := r.opens(); ok {
			w.named = at
		}
		switch r.action {
		case back:
			return proceed
		case jump:
			if result := w.chain(w.set.chains[r.target]); result != proceed {
				return result
			}
			continue
		case goTo:
			w.left = at
			result := w.chain(w.set.chains[r.target])
			if result == proceed && w.set.policy == accept { // iptables: out of the filter, and let in
				w.last = Line{Path: w.set.Path, Line: w.set.chains[r.target].line, Text: "end of chain " + r.target}
				return accept
			}
			return result
		}
		if w.last = at; r.action == drop && w.left.Line > 0 && c.name == w.set.refuse {
			w.last = w.left // what sent it to be refused says more than the refusal
		}
		return r.action
	}
	return proceed
}

// check refuses ways to chains that are not there, and circles.
func (s *Ruleset) check() error {
	if s.chains[s.base] == nil {
		return fmt.Errorf("%s: no chain %s: is it a ruleset of skep?", s.Path, s.base)
	}
	done := map[string]bool{}
	var visit func(name string, way []string) error
	visit = func(name string, way []string) error {
		if done[name] {
			return nil
		}
		if slices.Contains(way, name) {
			return fmt.Errorf("%s: chains in a circle: %s", s.Path, strings.Join(append(way, name), ", "))
		}
		for _, r := range s.chains[name].rules {
			if r.target == "" {
				continue
			}
			if s.chains[r.target] == nil {
				return fmt.Errorf("%s:%d: no chain %s", s.Path, r.line, r.target)
			}
			if err := visit(r.target, append(way[:len(way):len(way)], name)); err != nil {
				return err
			}
		}
		done[name] = true
		return nil
	}
	return visit(s.base, nil)
}
