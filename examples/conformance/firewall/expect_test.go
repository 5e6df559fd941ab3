package firewall

import (
	"net/netip"
	"slices"

	"skep.dev/schema"
)

// interesting returns, by protocol, the first and last port of every row and their neighbours, what NFS and Docker use,
// and ports that nobody names.
func interesting(c *schema.Cluster) map[string][]int {
	out := map[string][]int{"esp": {0}}
	for _, proto := range []string{"tcp", "udp"} {
		ports := []int{22, 53, 111, 2049, 2375, 2376, 2377, 4789, 5432, 7946, 8080, 9100, 33332, 33333, 33334, 33335, 33336, 33337, 45000}
		for _, e := range c.Exposures {
			if schema.HasPorts(e.Proto) {
				ports = append(ports, int(e.Port), int(e.Last), int(e.Last)+1)
			}
			if e.Port != e.Last {
				ports = append(ports, int(e.Port)-1)
			}
		}
		slices.Sort(ports)
		out[proto] = slices.Compact(ports)
	}
	return out
}

// expected computes from the exposures, row by row and without a set or a merged prefix, who may connect.
func (w *world) expected(spec string) verdict {
	byRows := func(from string, p probe) bool { return w.byRows(from, p) }
	table, ok := tables[spec]
	if !ok {
		return byRows
	}
	// Where the issue gives a table, it decides; a target's rows have to say the same.
	return func(from string, p probe) bool {
		if !w.isNode(p) || from == "node" {
			return byRows(from, p)
		}
		return table.open(w, from, p)
	}
}

func (w *world) isNode(p probe) bool {
	a := netip.MustParseAddr(p.Address)
	return a == w.at["node"][0] || a == w.at["node"][1]
}

func (w *world) byRows(from string, p probe) bool {
	to := netip.MustParseAddr(p.Address)
	contained := from == "app" || from == "other"
	switch {
	case from == "node":
		return true
	case to == w.at["task"][0]:
		return false
	case contained && !w.isNode(p):
		return !w.belongs(to) || !w.clusterOnly(p)
	}
	source := w.at[from][family(to)]
	for _, e := range w.cluster.Exposures {
		if !covers(e, p) || !e.Includes(w.node) || e.Port != e.Last && w.taken(e, p) {
			continue
		}
		for _, zone := range e.From {
			if contained && (zone == "containers" || zone == "users" && w.in(zone, source)) || !contained && w.in(zone, source) {
				return true
			}
		}
	}
	return false
}

// belongs reports whether the address is one of another node.
func (w *world) belongs(a netip.Addr) bool {
	return slices.ContainsFunc(w.cluster.Nodes, func(n schema.Node) bool { return n.Address == a || n.Public == a })
}

// clusterOnly reports whether a port is one that neither containers nor users may use on any node.
func (w *world) clusterOnly(p probe) bool {
	closed := false
	for _, e := range w.cluster.Exposures {
		if !covers(e, p) || e.Port != e.Last {
			continue
		}
		if slices.Contains(e.From, "containers") || slices.Contains(e.From, "users") {
			return false
		}
		closed = true
	}
	return closed
}

// taken reports whether a port of a range belongs to another row, or to NFS.
func (w *world) taken(e schema.Exposure, p probe) bool {
	if n := w.cluster.Services.NFS; n != nil && p.Port >= 33333 && p.Port <= 33336 {
		return true
	}
	return slices.ContainsFunc(w.cluster.Exposures, func(other schema.Exposure) bool {
		return other.Name != e.Name && other.Port == other.Last && covers(other, p)
	})
}

func covers(e schema.Exposure, p probe) bool {
	return e.Proto == p.Proto && p.Port >= int(e.Port) && p.Port <= int(e.Last)
}

func (w *world) in(zone string, a netip.Addr) bool {
	if zone == "anyone" {
		return true
	}
	if zone == "public" {
		return slices.ContainsFunc(w.cluster.Nodes, func(n schema.Node) bool { return n.Public == a })
	}
	if zone == "cluster" {
		return slices.ContainsFunc(w.cluster.Nodes, func(n schema.Node) bool { return n.Address == a })
	}
	return slices.ContainsFunc(w.cluster.Zone(zone), func(p netip.Prefix) bool { return p.Contains(a) })
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// table is one of the two tables of ports, typed by hand: it knows nothing of the schema.
type table []row

// row opens ports on a role ("manager", "worker" or "") to sources, given by their namespace.
type row struct {
	proto string
	first int
	last  int
	role  string
	from  []string
}

var (
	everyone  = []string{"management", "nuvla", "users", "peer", "foreign", "app", "other"}
	operators = []string{"management"}
	nodes     = []string{"peer"}
)

// tables are of examples/target and examples/host, whose managers serve the web and whose first manager has the disk.
// Both leave users as the whole world, and all else has IPv4 addresses only.
var tables = map[string]table{
	"target": {
		{"tcp", 22, 22, "", operators},
		{"tcp", 80, 80, "manager", everyone},
		{"tcp", 443, 443, "manager", everyone},
		{"tcp", 2049, 2049, "manager", nodes},
		{"tcp", 2376, 2376, "manager", []string{"nuvla", "management"}},
		{"tcp", 2377, 2377, "manager", nodes},
		{"udp", 4789, 4789, "", nodes},
		{"tcp", 7946, 7946, "", nodes},
		{"udp", 7946, 7946, "", nodes},
		{"tcp", 8080, 8080, "manager", operators},
		{"tcp", 9000, 9000, "manager", everyone},
		{"tcp", 9100, 9100, "", []string{"peer", "app", "other"}},
		{"tcp", 9323, 9323, "", []string{"peer", "app", "other"}},
		{"tcp", 30000, 33332, "", everyone},
		{"udp", 30000, 32767, "", everyone},
		{"tcp", 33337, 60999, "", everyone},
	},
	"host": {
		{"tcp", 22, 22, "", operators},
		{"tcp", 80, 80, "manager", everyone},
		{"tcp", 443, 443, "manager", everyone},
		{"tcp", 2376, 2376, "manager", operators},
		{"tcp", 2377, 2377, "manager", nodes},
		{"udp", 4789, 4789, "", nodes},
		{"tcp", 7946, 7946, "", nodes},
		{"udp", 7946, 7946, "", nodes},
		{"tcp", 8080, 8080, "manager", operators},
		{"tcp", 9100, 9100, "", []string{"peer", "app", "other"}},
		{"tcp", 9323, 9323, "", []string{"peer", "app", "other"}},
	},
}

func (t table) open(w *world, from string, p probe) bool {
	six := netip.MustParseAddr(p.Address).Is6()
	for _, r := range t {
		if r.proto != p.Proto || p.Port < r.first || p.Port > r.last || r.role != "" && r.role != w.node.Role {
			continue
		}
		contained := from == "app" || from == "other"
		if six && len(r.from) != len(everyone) && !contained {
			return false
		}
		return slices.Contains(r.from, from)
	}
	return false
}
