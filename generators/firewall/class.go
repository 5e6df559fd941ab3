package firewall

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"skep.dev/schema"
)

// Class is the nodes that share one ruleset: those of one role with the same exposures. A cluster of 10,000 nodes has a
// handful, so that its bundle is small.
type Class struct {
	Name      string // "worker", or with the duties that open ports: "manager-nfs-traefik"
	Role      string
	Nodes     []string          // sorted
	Exposures []schema.Exposure // sorted by port, then name
}

// Classes returns the classes of the cluster, sorted by name. Each node is in exactly one.
func Classes(c *schema.Cluster) []Class {
	members := onNodes(c)
	byKey := map[string]*Class{}
	var classes []*Class
	for _, n := range c.Nodes {
		key := n.Role
		var open []schema.Exposure
		for _, e := range c.Exposures {
			if m := members[e.Name]; m["all"] || m[n.Role+"s"] || m[n.Name] {
				key += " " + e.Name
				open = append(open, e)
			}
		}
		class, ok := byKey[key]
		if !ok {
			class = &Class{Name: className(c, n), Role: n.Role, Exposures: open}
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

// onNodes returns, by the name of an exposure, the nodes and groups it is on; looking them up in the rows themselves
// would be quadratic where a row names thousands of nodes.
func onNodes(c *schema.Cluster) map[string]map[string]bool {
	members := make(map[string]map[string]bool, len(c.Exposures))
	for _, e := range c.Exposures {
		on := make(map[string]bool, len(e.On))
		for _, name := range e.On {
			on[name] = true
		}
		members[e.Name] = on
	}
	return members
}

// className is the role and those duties that open ports on the node itself; S3 and monitoring answer through Traefik.
func className(c *schema.Cluster, n schema.Node) string {
	name := n.Role
	for _, duty := range c.Duties(n.Name) {
		if duty == "nfs" || duty == "traefik" {
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
			for _, e := range class.Exposures {
				count[e.Name]++
			}
		}
		for _, class := range same {
			plain := class.Name
			var own []string
			for _, e := range class.Exposures {
				if count[e.Name] < len(same) {
					own = append(own, e.Name)
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
			var all []string
			for _, e := range class.Exposures {
				all = append(all, e.Name)
			}
			class.Name += "-" + digest(all)
		}
	}
}

// longest is how many exposures a class's name lists; it is a file's name as well.
const longest = 4

func digest(names []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(names, " "))))[:8]
}
