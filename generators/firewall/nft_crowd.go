package firewall

import (
	"fmt"

	"skep.dev/generators/firewall/netset"
)

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
