package firewall

import "skep.dev/generators/firewall/netset"

// iptablesClosed writes the closed minimum for `iptables-restore --noflush`.
func iptablesClosed(p policy, f netset.Family) string {
	w := &lines{}
	w.add("*mangle")
	w.add(":%s - [0:0]", chain)
	w.add(":%s-REFUSE - [0:0]", chain)
	for _, s := range p.sources {
		w.add(":%s - [0:0]", sourceChain(s))
	}
	w.add("-A %s -i lo -j RETURN", chain)
	if p.cluster.Mesh() != nil {
		iptablesStrayed(w, p, f)
	}
	w.add("-A %s -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", chain)
	w.add("-A %s %s -g %s-REFUSE", chain, elsewhere(f), chain)
	iptablesControl(w, chain, f)
	w.add("-A %s -m conntrack --ctstate INVALID -j DROP", chain)
	iptablesAnswers(w, p, f)
	for _, o := range p.outside {
		iptablesEntry(w, chain, o, f)
	}
	w.add("-A %s -g %s-REFUSE", chain, chain)
	iptablesSources(w, p, f)
	iptablesRefuse(w)
	w.add("COMMIT")
	return w.String()
}
