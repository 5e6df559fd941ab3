package schema

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Roles are those that a node may have in the swarm.
func Roles() []string { return []string{"manager", "worker"} }

// Managers returns the nodes that are managers, sorted by name.
func (c *Cluster) Managers() []Node {
	var out []Node // a few of many: not a copy of all
	for i := range c.Nodes {
		if c.Nodes[i].Role == "manager" {
			out = append(out, c.Nodes[i])
		}
	}
	return out
}

// Node returns the node of that name; the schema has checked every reference, so it exists.
func (c *Cluster) Node(name string) Node {
	i, ok := slices.BinarySearchFunc(c.Nodes, name, func(n Node, name string) int {
		return strings.Compare(n.Name, name)
	})
	if !ok {
		return Node{}
	}
	return c.Nodes[i]
}

// NodesNamed returns the nodes behind a name of the spec: a node, an address of one, or the groups "all", "managers" and
// "workers". It is empty when there is none.
func (c *Cluster) NodesNamed(name string) []Node {
	if n := c.Node(name); n.Name != "" {
		return []Node{n}
	}
	address, _ := netip.ParseAddr(name)
	var out []Node
	for _, n := range c.Nodes {
		if name == "all" || name == n.Role+"s" || slices.Contains(n.Addresses(), address) {
			out = append(out, n)
		}
	}
	return out
}

// Exposure returns the row of that name, and whether the cluster has it.
func (c *Cluster) Exposure(name string) (Exposure, bool) { return c.Exposures.Named(name) }

// FieldOf returns the field of the spec that decides an exposure. Where each node has one, it is that of the first node
// whose field is set in the spec, or else of the first node.
func (c *Cluster) FieldOf(e Exposure, isSet func(path string) bool) string {
	if !strings.Contains(e.Field, "*") {
		return e.Field
	}
	first := ""
	for _, n := range c.Nodes {
		if !e.Includes(n) {
			continue
		}
		path := strings.Replace(e.Field, "*", JoinPath(n.Name), 1)
		if isSet(path) {
			return path
		}
		first = cmp.Or(first, path)
	}
	return first
}

// Secret returns the row of that name, and whether the cluster has it.
func (c *Cluster) Secret(name string) (Secret, bool) { return c.Secrets.Named(name) }

// Includes reports whether the exposure is open on the node.
func (e Exposure) Includes(n Node) bool {
	return slices.ContainsFunc(e.On, func(on string) bool {
		return on == "all" || on == n.Role+"s" || on == n.Name
	})
}

// Duties returns what the node is chosen for by the spec, sorted: "monitoring", "nfs", "s3", "traefik", "vpn".
// The runbook sets each as the swarm label skep.DUTY=true, and stacks place their tasks by it.
func (c *Cluster) Duties(name string) []string {
	var duties []string
	for _, d := range c.Rows.Duties {
		if slices.Contains(d.Nodes, name) {
			duties = append(duties, d.Name)
		}
	}
	return duties
}

// PageNames are the names and addresses at which the cluster's own pages answer, as browsers write them: its domain,
// certificates.names, and the nodes that Traefik runs on.
func (c *Cluster) PageNames() []string {
	names := append([]string{c.Domain}, c.Certificates.Names...)
	for _, name := range c.Services.Traefik.Nodes {
		names = append(names, name)
		for _, a := range c.Node(name).Addresses() {
			names = append(names, a.String())
		}
	}
	var out []string
	for _, name := range names {
		if a, err := netip.ParseAddr(name); err == nil {
			name = a.String()
		}
		lower := strings.ToLower(name)
		if slices.Contains(c.Hosts(), name) || slices.Contains(out, lower) {
			continue // every path of a page's own host is that page's
		}
		out = append(out, lower)
	}
	return out
}

// Hosts returns the names, beside the cluster's domain, at which pages of skep's own answer, sorted by page.
func (c *Cluster) Hosts() []string {
	var hosts []string
	for _, p := range c.Rows.Pages {
		if p.Host != "" {
			hosts = append(hosts, p.Host)
		}
	}
	return hosts
}

// Remarks returns what the rows say of the cluster's values: of each field the first remark that holds.
func (c *Cluster) Remarks() []Remark {
	var out []Remark
	for _, r := range c.Rows.Remarks {
		if r.holds(c.Engine.Versions) && !slices.ContainsFunc(out, func(o Remark) bool { return o.Field == r.Field }) {
			out = append(out, r)
		}
	}
	return out
}

// holds compares versions. An image without one is taken as new.
func (r Remark) holds(engines Versions) bool {
	if r.Older != nil {
		v, ok := ImageVersion(r.Older.Image, r.Older.Program)
		if !ok || !v.Less(ParseVersion(r.Older.Than)) {
			return false
		}
	}
	return r.Engine == "" || ParseVersion(r.Engine).Less(ParseVersion(engines.Below))
}

// Interfaces are those on which packets of the node's own containers arrive; a last "*" stands for any ending.
func (f Firewall) Interfaces() []string { return slices.Concat(f.Docker, f.Bridges) }
