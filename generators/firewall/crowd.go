package firewall

import (
	"cmp"
	"fmt"
	"slices"

	"skep.dev/generators/firewall/netset"
	"skep.dev/schema"
)

// crowd is ports to which one sender may have so many connections at once, all together.
type crowd struct {
	limit  int
	ports  map[string][]schema.PortRange // by protocol
	exempt []zone
}

// senders is how many senders the kernel counts at once; the connections of more are not bounded.
const senders = 65535

// sender is the network that is taken for one sender.
func sender(f netset.Family) int { return map[netset.Family]int{netset.V4: 32, netset.V6: 64}[f] }

// crowds returns the limits of the class, sorted. Those who run the cluster have none.
func crowds(class Class, s shared) []crowd {
	byLimit := map[int]*crowd{}
	var out []crowd
	for _, e := range class.Exposures {
		if e.Connections == 0 || !schema.HasPorts(e.Proto) {
			continue
		}
		if byLimit[e.Connections] == nil {
			byLimit[e.Connections] = &crowd{e.Connections, map[string][]schema.PortRange{}, s.pick([]string{"management", "nuvla", "cluster", "public"})}
		}
		c := byLimit[e.Connections]
		c.ports[e.Proto] = netset.Union(append(c.ports[e.Proto], s.ports[e.Name]...))
	}
	for _, c := range byLimit {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b crowd) int { return cmp.Compare(a.limit, b.limit) })
	return out
}

// name is the limit's, in both backends.
func (c crowd) name() string { return fmt.Sprintf("crowd_%d", c.limit) }
