package schema

import "net/netip"

// Network returns the network that the packets come from; it is invalid where a zone sends them.
func (f Forward) Network() netip.Prefix {
	p, err := netip.ParsePrefix(f.From)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Senders returns the prefixes that the packets come from.
func (c *Cluster) Senders(f Forward) []netip.Prefix {
	if p := f.Network(); p.IsValid() {
		return []netip.Prefix{p}
	}
	return c.Zone(f.From)
}

// Includes reports whether the node passes the packets on.
func (f Forward) Includes(n Node) bool { return Exposure{On: f.On}.Includes(n) }
