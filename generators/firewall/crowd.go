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

// nftCrowdSets writes the sets in which the kernel counts.
func nftCrowdSets(w *lines, p policy) {
	for _, c := range p.crowds {
		for _, f := range netset.Families() {
			w.block("set "+c.name()+"_"+f.Suffix(), func() {
				w.add("type %s", map[netset.Family]string{netset.V4: "ipv4_addr", netset.V6: "ipv6_addr"}[f])
				w.add("size %d", senders)
				w.add("flags dynamic")
			})
			w.add("")
		}
	}
}

// nftCrowds sends new connections to the chains of nftCrowdChains.
func nftCrowds(w *lines, p policy) {
	for _, c := range p.crowds {
		for _, proto := range []string{"tcp", "udp"} {
			if len(c.ports[proto]) > 0 {
				w.add("%s jump %s", nftMatch(proto, c.ports[proto]), c.name())
			}
		}
	}
}

// nftCrowdChains writes the chains that refuse a connection too many.
func nftCrowdChains(w *lines, p policy) {
	for _, c := range p.crowds {
		w.block("chain "+c.name(), func() {
			for _, f := range netset.Families() {
				for _, z := range c.exempt {
					switch {
					case z.world(f):
						w.add("meta nfproto ipv%s return", f.Suffix())
					case len(z.in(f)) > 0:
						w.add("%s%s saddr @%s%s return", nftDevice(z), nftFamily(f), z.name, f.Suffix())
					}
				}
			}
			nftRefused(w, "crowd", fmt.Sprintf("add @%s_4 { ip saddr ct count over %d }", c.name(), c.limit))
			nftRefused(w, "crowd", fmt.Sprintf("add @%s_6 { ip6 saddr & ffff:ffff:ffff:ffff:: ct count over %d }", c.name(), c.limit))
		})
		w.add("")
	}
}

// crowdChains count, and fullChains decide about those above the limit: the nodes are a list to be walked, and few
// connections are too many. Both are jumped to: RETURN goes on.
const (
	crowdChains = chain + "-CROWD-"
	fullChains  = chain + "-FULL-"
)

func (c crowd) chain() string { return crowdChains + fmt.Sprint(c.limit) }
func (c crowd) full() string  { return fullChains + fmt.Sprint(c.limit) }

// iptablesCrowds sends new connections to the chains of iptablesCrowdChains.
func iptablesCrowds(w *lines, p policy) {
	for _, c := range p.crowds {
		for _, proto := range []string{"tcp", "udp"} {
			for _, match := range iptablesMatches(proto, c.ports[proto]) {
				w.add("-A %s %s -j %s", chain, match, c.chain())
			}
		}
	}
}

// iptablesCrowdChains writes the chains that refuse a connection too many.
func iptablesCrowdChains(w *lines, p policy, f netset.Family) {
	for _, c := range p.crowds {
		w.add("-A %s -m connlimit --connlimit-above %d --connlimit-mask %d --connlimit-saddr -j %s", c.chain(), c.limit, sender(f), c.full())
		for _, z := range c.exempt {
			device := ""
			if z.device != "" {
				device = " -i " + z.device
			}
			for _, prefix := range z.in(f) {
				w.add("-A %s%s -s %s -j RETURN", c.full(), device, prefix)
			}
		}
		w.add("-A %s -g %s-REFUSE", c.full(), chain)
	}
}
