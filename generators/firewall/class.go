package firewall

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"skep.dev/schema"
)

// Class is the nodes that share one ruleset: those of one role with the same exposures, which pass on the same. A cluster of 10,000 nodes has a
// handful, so that its bundle is small.
type Class struct {
	Name      string // "worker", or with the duties that open ports: "manager-nfs-traefik"
	Role      string
	Nodes     []string          // sorted
	Exposures []schema.Exposure // sorted by port, then name
	Forward   []int             // of firewall.forward: what its nodes pass on
}

// Classes returns the classes of the cluster, sorted by name. Each node is in exactly one.
func Classes(c *schema.Cluster) []Class {
	byGroup, byName := onNodes(c)
	byKey := map[string]*Class{}
	var classes []*Class
	for _, n := range c.Nodes {
		key := n.Role // most nodes are named by no row
		var named []int
		for _, row := range byName[n.Name] {
			if !byGroup[n.Role][row] && !slices.Contains(named, row) {
				named = append(named, row)
				key += fmt.Sprint(" ", row)
			}
		}
		forward := passing(c, n)
		key += fmt.Sprint(forward)
		class, ok := byKey[key]
		if !ok {
			class = &Class{Name: className(c, n), Role: n.Role, Forward: forward}
			for row, e := range c.Exposures {
				if byGroup[n.Role][row] || slices.Contains(named, row) {
					class.Exposures = append(class.Exposures, e)
				}
			}
			byKey[key] = class
			classes = append(classes, class)
		}
		class.Nodes = append(class.Nodes, n.Name)
	}
	tellApart(classes)
	out := make([]Class, len(classes))
	for i, class := range classes {
		out[i] = *class
	}
	slices.SortFunc(out, func(a, b Class) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// onNodes returns which rows are on all nodes of a role, and which name a node, as indices in the order of the rows.
// Asking each row about each node would be quadratic where a row names thousands of nodes.
func onNodes(c *schema.Cluster) (byGroup map[string]map[int]bool, byName map[string][]int) {
	byGroup, byName = map[string]map[int]bool{"manager": {}, "worker": {}}, map[string][]int{}
	for row, e := range c.Exposures {
		for _, on := range e.On {
			switch on {
			case "all":
				byGroup["manager"][row], byGroup["worker"][row] = true, true
			case "managers", "workers":
				byGroup[strings.TrimSuffix(on, "s")][row] = true
			default:
				byName[on] = append(byName[on], row)
			}
		}
	}
	return byGroup, byName
}

// passing returns which rows of firewall.forward the node has.
func passing(c *schema.Cluster, n schema.Node) []int {
	var out []int
	for i, f := range c.Firewall.Forward {
		if f.Includes(n) {
			out = append(out, i)
		}
	}
	return out
}

// rows returns the names of what tells the class from others of its role.
func (class *Class) rows() []string {
	var out []string
	for _, e := range class.Exposures {
		out = append(out, e.Name)
	}
	for _, i := range class.Forward {
		out = append(out, fmt.Sprintf("forward-%d", i))
	}
	return out
}

// className is the role and those duties that open ports on the node itself; S3 and monitoring answer through Traefik.
func className(c *schema.Cluster, n schema.Node) string {
	name := n.Role
	for _, duty := range c.Duties(n.Name) {
		if duty == "nfs" || duty == "traefik" || duty == "vpn" {
			name += "-" + duty
		}
	}
	return name
}

// tellApart adds to equal names the exposures that not all of their classes have, such as "worker-ssh-2222".
func tellApart(classes []*Class) {
	byName := map[string][]*Class{}
	for _, class := range classes {
		byName[class.Name] = append(byName[class.Name], class)
	}
	for _, same := range byName {
		if len(same) == 1 {
			continue
		}
		count := map[string]int{}
		for _, class := range same {
			for _, row := range class.rows() {
				count[row]++
			}
		}
		for _, class := range same {
			plain := class.Name
			var own []string
			for _, row := range class.rows() {
				if count[row] < len(same) {
					own = append(own, row)
				}
			}
			if class.Name = strings.Join(append([]string{plain}, own...), "-"); len(own) > longest {
				class.Name = plain + "-" + digest(own)
			}
		}
	}
	count := map[string]int{}
	for _, class := range classes {
		count[class.Name]++
	}
	for _, class := range classes {
		if count[class.Name] > 1 { // an exposure has the name of a duty, or two make that of a third
			class.Name += "-" + digest(class.rows())
		}
	}
}

// longest is how many exposures a class's name lists; it is a file's name as well.
const longest = 4

func digest(names []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(names, " "))))[:8]
}
