package plan

import (
	"fmt"
	"strings"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Lines says the plan in words, one line each change. What stays behind, and what Docker will not do, comes first.
func (p Plan) Lines() []string { return append(p.changes(), p.stepLines()...) }

// stepLines says which steps a run would take.
func (p Plan) stepLines() []string {
	lines := make([]string, len(p.Steps))
	for i, c := range p.Steps {
		lines[i] = c.String()
	}
	return lines
}

// changes says what becomes of the cluster.
func (p Plan) changes() []string {
	var out []string
	for _, c := range p.Stacks {
		if c.rank() < others {
			out = append(out, c.String())
		}
	}
	for _, n := range p.Firewall.Nodes {
		switch n.Change {
		case "role":
			out = append(out, fmt.Sprintf("node     %s becomes a %s", n.Node, n.Role))
		case "address":
			out = append(out, fmt.Sprintf("node     %s has the address %s", n.Node, n.Address))
		default:
			out = append(out, fmt.Sprintf("%-8s node %s, a %s", n.Change, n.Node, n.Role))
		}
	}
	for _, a := range p.Firewall.Addresses {
		for _, prefix := range a.Added {
			out = append(out, fmt.Sprintf("added    %s to zone %s", prefix, a.Zone))
		}
		for _, prefix := range a.Removed {
			out = append(out, fmt.Sprintf("removed  %s from zone %s", prefix, a.Zone))
		}
	}
	for _, c := range p.Firewall.Transit {
		out = append(out, c.String())
	}
	for _, c := range p.Firewall.Ports {
		out = append(out, c.String())
	}
	for _, c := range p.Settings {
		out = append(out, c.String())
	}
	for _, c := range p.Engines {
		out = append(out, c.String())
	}
	for _, c := range p.Stacks {
		if c.rank() == others {
			out = append(out, c.String())
		}
	}
	for _, c := range p.Certificates {
		out = append(out, c.String())
	}
	for _, h := range p.HandOvers {
		out = append(out, h.String())
	}
	decided, own := p.divided()
	if len(out)+len(p.Steps) == 0 && len(decided) > 0 {
		out = append(out, fmt.Sprintf("changed  %s in the bundle, and no port, node, service, setting or engine", finding.Several(decided)))
	}
	if len(own) > 0 {
		out = append(out, fmt.Sprintf("changed  %s of skep's own: another version of skep, see its CHANGELOG", finding.Several(own)))
	}
	return out
}

// String is such as "opened   8443/tcp on all workers to users (exposures.game)".
func (c PortChange) String() string {
	texts := make([]string, len(c.Ports))
	for i, r := range c.Ports {
		texts[i] = netset.Span(r, "-")
	}
	ports := strings.Join(texts, ", ") + "/" + c.Proto
	if !schema.HasPorts(c.Proto) {
		ports = c.Proto
	}
	zone := c.Zone
	if c.Over != "" {
		zone += " over " + c.Over
	}
	if len(c.Except) > 0 {
		zone += " except " + strings.Join(c.Except, ", ")
	}
	return fmt.Sprintf("%-8s %s on %s to %s (%s)", c.Change, ports, c.Where, zone, strings.Join(c.Fields, ", "))
}

// String is such as "all workers", "worker w1", or "workers w1, w2 and 7 more".
func (w Where) String() string {
	names := finding.Several(w.Nodes)
	switch {
	case len(w.Nodes) == 1:
		return w.Role + " " + names
	case w.All:
		return "all " + w.Role + "s"
	}
	return w.Role + "s " + names
}
