package firewall

import (
	"fmt"

	"skep.dev/generators/firewall/netset"
)

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
