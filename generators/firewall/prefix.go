package firewall

import (
	"net/netip"
	"slices"
)

// merge returns the fewest prefixes that cover exactly the given ones, sorted by address.
// Beyond the sort it is linear: a prefix is only ever compared with the last one kept.
func merge(prefixes []netip.Prefix) []netip.Prefix {
	sorted := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		sorted[i] = p.Masked()
	}
	slices.SortFunc(sorted, func(a, b netip.Prefix) int {
		if order := a.Addr().Compare(b.Addr()); order != 0 {
			return order
		}
		return a.Bits() - b.Bits()
	})
	var kept []netip.Prefix
	for _, p := range sorted {
		if n := len(kept); n > 0 && kept[n-1].Overlaps(p) {
			continue // the kept one is the wider: it came first
		}
		kept = append(kept, p)
		for joined := true; joined; {
			kept, joined = joinLast(kept)
		}
	}
	return kept
}

// joinLast replaces the last two prefixes by their parent when they are its halves.
func joinLast(kept []netip.Prefix) ([]netip.Prefix, bool) {
	n := len(kept)
	if n < 2 || kept[n-1].Bits() == 0 || kept[n-2].Bits() != kept[n-1].Bits() {
		return kept, false
	}
	parent := netip.PrefixFrom(kept[n-2].Addr(), kept[n-2].Bits()-1).Masked()
	if !parent.Contains(kept[n-1].Addr()) {
		return kept, false
	}
	return append(kept[:n-2], parent), true
}

// host returns the prefix of one address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// ofFamily returns those of the prefixes that are IPv4, or IPv6, merged.
func ofFamily(f family, prefixes []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4() == (f == v4) {
			out = append(out, p)
		}
	}
	return merge(out)
}

// last returns the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
