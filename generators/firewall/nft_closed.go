package firewall

// nftClosed writes the closed minimum for `nft -f`.
func nftClosed(p policy) string {
	body := &lines{indent: 1}
	nftSets(body, p)
	body.block("chain prerouting", func() {
		body.add("type filter hook prerouting priority mangle; policy drop;")
		body.add(`iifname "lo" accept`)
		if p.cluster.Mesh() != nil {
			nftStray(body, p)
		}
		body.add("ct state established,related accept")
		nftRefused(body, "forwarded", "fib daddr type != { local, broadcast, multicast, anycast }")
		body.add("jump control")
		body.add("ct state invalid drop")
		nftAnswers(body, p)
		for _, o := range p.outside {
			nftEntry(body, o)
		}
		nftRefused(body, "closed", "")
	})
	body.add("")
	nftSources(body, p)
	nftControl(body)
	nftRefuse(body)
	return nftTable(&lines{}, body)
}
