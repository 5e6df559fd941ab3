// Package review writes what a person reads of a bundle first: its README, and who may reach what.
package review

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
)

// Matrix returns the exposure matrix as a Markdown table, one row for each port and protocol that is open.
// Rows that differ in their protocol only are one.
func Matrix(c *schema.Cluster) string {
	t := table{{"port", "what", "on", "from", "decided by"}}
	for _, row := range Rows(c) {
		t = append(t, []string{row.Ports, row.Why, strings.Join(row.On, ", "), strings.Join(row.From, ", "), "`" + row.Field + "`"})
	}
	return t.String()
}

// Row is an exposure and the ports of all that equal it but for the protocol: "7946/tcp+udp".
type Row struct {
	schema.Exposure
	Ports string
}

// Rows returns the rows of the matrix, in the order of their ports. Their nodes are sorted as people count.
func Rows(c *schema.Cluster) []Row {
	var out []Row
	protos := map[int][]string{}
	for _, e := range c.Exposures {
		i := slices.IndexFunc(out, func(m Row) bool {
			return m.Added() == e.Added() && m.Port == e.Port && m.Last == e.Last && m.Why == e.Why && m.Mode == e.Mode && schema.HasPorts(m.Proto) && schema.HasPorts(e.Proto) &&
				slices.Equal(m.On, e.On) && slices.Equal(m.From, e.From)
		})
		if i < 0 {
			i = len(out)
			out = append(out, Row{Exposure: e})
		}
		protos[i] = append(protos[i], e.Proto)
	}
	for i := range out {
		slices.Sort(protos[i])
		out[i].On = slices.SortedFunc(slices.Values(out[i].On), natural)
		out[i].Ports = ports(out[i].Exposure, protos[i])
	}
	return out
}

// ports writes "7946/tcp+udp", "30000-32767/tcp" or, for a protocol without ports, its name.
func ports(e schema.Exposure, protos []string) string {
	switch {
	case e.Port == 0:
		return e.Proto
	case e.Port == e.Last:
		return fmt.Sprintf("%d/%s", e.Port, strings.Join(protos, "+"))
	}
	return fmt.Sprintf("%d-%d/%s", e.Port, e.Last, strings.Join(protos, "+"))
}

// zones returns a table of the zones and the addresses behind them.
func zones(c *schema.Cluster) string {
	t := table{{"zone", "addresses"}}
	for _, name := range c.Zones() {
		t = append(t, []string{name, strings.Join(Members(c, name), ", ")})
	}
	return t.String()
}

// Members returns who is in a zone, in words: its networks, and who else counts as of it. The README, the picture and
// skep reach say the same.
func Members(c *schema.Cluster, zone string) []string {
	switch zone {
	case "anyone":
		return []string{"whoever sends it"}
	case "public":
		return []string{"the nodes, by the addresses that they have outside"}
	case "cluster":
		if c.Mesh() != nil {
			return []string{"the " + count(len(c.Nodes), "node") + " of the cluster, in the mesh"}
		}
		return []string{"the " + count(len(c.Nodes), "node") + " of the cluster, by address"}
	case schema.Containers:
		return []string{"tasks on the node itself"}
	}
	var out []string
	for _, p := range c.Access.Listed(zone) {
		out = append(out, p.String())
	}
	if m := c.Mesh(); m != nil {
		for _, p := range m.Peers {
			if p.Zone == zone {
				out = append(out, fmt.Sprintf("%s (%s, in the mesh)", p.Name, m.OfPeer(p)))
			}
		}
	}
	if a := c.VPNAccess(); a != nil && a.Zone == zone {
		out = append(out, "clients of the VPN ("+a.Subnet.String()+"; to other nodes they come from "+a.Node+")")
	}
	if len(out) == 0 {
		out = []string{"nobody"}
	}
	return out
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// table is a Markdown table; the first row is its head.
type table [][]string

func (t table) String() string {
	var b strings.Builder
	for i, row := range t {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	return b.String()
}
