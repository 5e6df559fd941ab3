package plan

import (
	"fmt"
	"slices"
	"strings"

	"skep.dev/schema/finding"
)

// TransitChange is packets for other machines that some nodes pass on, or no longer do.
type TransitChange struct {
	Change string   `json:"change"` // "opened" or "closed"
	What   string   `json:"what"`   // a rule of firewall.forward, or "everything"
	Nodes  []string `json:"nodes"`
	All    bool     `json:"all"` // they are all nodes of the new bundle
}

// transit returns what nodes of both bundles pass on by one of them only, what is closed first.
func transit(before, after *Bundle) []TransitChange {
	byWhat := map[[2]string][]string{}
	for _, n := range after.nodes {
		old, ok := before.node(n.name)
		if !ok {
			continue
		}
		was, is := before.passes(old.class), after.passes(n.class)
		for _, what := range was {
			if !slices.Contains(is, what) {
				byWhat[[2]string{"closed", what}] = append(byWhat[[2]string{"closed", what}], n.name)
			}
		}
		for _, what := range is {
			if !slices.Contains(was, what) {
				byWhat[[2]string{"opened", what}] = append(byWhat[[2]string{"opened", what}], n.name)
			}
		}
	}
	var out []TransitChange
	for key, nodes := range byWhat {
		out = append(out, TransitChange{key[0], key[1], nodes, len(nodes) == len(after.nodes)})
	}
	slices.SortFunc(out, func(a, b TransitChange) int { return strings.Compare(a.Change+a.What, b.Change+b.What) })
	return out
}

func (b *Bundle) passes(class string) []string {
	var out []string
	for _, s := range b.rulesets[class] {
		out = append(out, s.Passes()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// String is such as "closed   everything for other machines, through all nodes (firewall.forward)".
func (c TransitChange) String() string {
	who := finding.Nodes(c.Nodes)
	if c.All {
		who = "all nodes"
	}
	return fmt.Sprintf("%-8s %s for other machines, through %s (firewall.forward)", c.Change, c.What, who)
}
