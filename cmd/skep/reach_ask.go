package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// fate is the answer to a question, as data. Allow is true when every packet is let in.
type fate struct {
	Schema  string   `json:"schema"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Via     string   `json:"via,omitempty"` // the node that it goes through
	Allow   bool     `json:"allow"`
	Packets []packet `json:"packets"`
}

// packet is one packet of a question: those that meet the same rules are one.
type packet struct {
	Source   string     `json:"source"`
	Zones    []string   `json:"zones"`
	Node     string     `json:"node"`
	Address  string     `json:"address,omitempty"` // of the node, or of the machine beyond it; empty where the spec has none of this family
	Allow    bool       `json:"allow"`
	Rule     proof.Line `json:"rule"`
	By       proof.Line `json:"by"`
	Exposure string     `json:"exposure,omitempty"`
	Why      string     `json:"why,omitempty"`
	Spec     *specLine  `json:"spec,omitempty"` // the line that decides; nil where no exposure names the port
}

// specLine is a place in the spec.
type specLine struct {
	Field  string `json:"field"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func (s specLine) String() string { return fmt.Sprintf("%s:%d:%d", s.File, s.Line, s.Column) }

func specLineOf(c loaded, field string) specLine {
	s := specLine{Field: field}
	s.File, s.Line, s.Column = c.spec.Place(field)
	return s
}

func ask(cmd *cobra.Command, sim *proof.Simulator, c loaded, o reachOptions, to destination) error {
	f := fate{Schema: version1("reach"), From: o.from, To: o.to, Via: o.via, Allow: true, Packets: []packet{}}
	var answers []proof.Answer
	if o.via != "" {
		answers = sim.AskThrough(o.via, o.from, to.node, to.proto, to.port)
	} else {
		answers = sim.Ask(o.from, to.node, to.proto, to.port)
	}
	for _, a := range answers {
		if p := newPacket(sim, c, a); a.Known || !someKnown(answers) {
			f.Allow = f.Allow && p.Allow
			f.Packets = append(f.Packets, p)
		}
	}
	if len(f.Packets) == 0 {
		return usageError{fmt.Sprintf("reach: %s has no address that could ask %s", o.from, to.node)}
	}
	if *o.format == formatJSON {
		if err := newJSON(cmd.OutOrStdout()).Encode(f); err != nil {
			return err
		}
	} else if _, err := fmt.Fprint(cmd.OutOrStdout(), f); err != nil {
		return err
	}
	if !f.Allow {
		return errFound
	}
	return nil
}

// someKnown reports whether the spec has an address that could be asked; then the others are left alone.
func someKnown(answers []proof.Answer) bool {
	for _, a := range answers {
		if a.Known {
			return true
		}
	}
	return false
}

func newPacket(sim *proof.Simulator, c loaded, a proof.Answer) packet {
	p := packet{
		Source: a.Packet.Src.String(), Zones: []string{}, Node: a.Node.Name,
		Allow: a.Verdict.Allow, Rule: a.Verdict.Rule, By: a.Verdict.By,
	}
	if sim.Contained(a.Packet) {
		p.Zones = append(p.Zones, schema.Containers)
	} else {
		p.Zones = append(p.Zones, sim.Zones(a.Packet.Src)...)
	}
	if a.Known {
		p.Address = a.Packet.Dst.String()
	}
	if row, field, ok := sim.Forward(a.Verdict); ok {
		at := specLineOf(c, field)
		p.Why, p.Spec = row.Why, &at
		return p
	}
	if a.Packet.Elsewhere {
		return p
	}
	if e, ok := sim.Exposure(a.Node.Name, a.Packet, a.Verdict); ok {
		at := specLineOf(c, c.fieldOf(e))
		p.Exposure, p.Why, p.Spec = e.Name, e.Why, &at
	}
	return p
}

// String is a few lines: the answer, and for each packet what decides and where that comes from.
func (f fate) String() string {
	var b strings.Builder
	through, nobody := "", "no exposure names it"
	if f.Via != "" {
		through, nobody = " through "+f.Via, "no row of firewall.forward names it"
	}
	fmt.Fprintf(&b, "%s: %s -> %s%s\n", allowed(f.Packets), f.From, f.To, through)
	for _, p := range f.Packets {
		to := nodeText(p)
		if f.Via != "" {
			to = p.Address + through
		}
		fmt.Fprintf(&b, "\n  %s (%s) to %s: %s\n", p.Source, zonesText(p.Zones), to, allowed([]packet{p}))
		fmt.Fprintf(&b, "    rule  %s\n", p.Rule)
		if p.By != p.Rule {
			fmt.Fprintf(&b, "    then  %s\n", p.By)
		}
		if p.Spec == nil {
			fmt.Fprintf(&b, "    spec  %s\n", nobody)
			continue
		}
		if p.Exposure == "" {
			fmt.Fprintf(&b, "    spec  %s: %s (%s)\n", p.Spec, p.Spec.Field, p.Why)
			continue
		}
		fmt.Fprintf(&b, "    spec  %s: %s (%s: %s)\n", p.Spec, p.Spec.Field, p.Exposure, p.Why)
	}
	return b.String()
}

func allowed(packets []packet) string {
	yes := 0
	for _, p := range packets {
		if p.Allow {
			yes++
		}
	}
	switch yes {
	case len(packets):
		return "allow"
	case 0:
		return "deny"
	}
	return "partly denied"
}

func zonesText(zones []string) string {
	if len(zones) == 0 {
		return "in no zone"
	}
	return strings.Join(zones, ", ")
}

func nodeText(p packet) string {
	if a, err := netip.ParseAddr(p.Address); err == nil {
		return fmt.Sprintf("%s at %s", p.Node, a)
	}
	family := "IPv6"
	if a, err := netip.ParseAddr(p.Source); err == nil && a.Unmap().Is4() {
		family = "IPv4"
	}
	return p.Node + ", which has no " + family + " address in the spec"
}
