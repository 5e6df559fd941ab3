// Package netset computes with sets of addresses and of ports: prefixes, or ranges, sorted, of which no two overlap.
package netset

import (
	"net/netip"
	"slices"
)

// Merge returns the fewest prefixes that cover exactly the given ones, sorted by address.
// Beyond the sort it is linear: a prefix is only ever compared with the last one kept.
func Merge(prefixes []netip.Prefix) []netip.Prefix {
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

// Host returns the prefix of one address.
func Host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// OfFamily returns those of the prefixes that are IPv4, or IPv6, merged.
func OfFamily(f Family, prefixes []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		if FamilyOf(p.Addr()) == f {
			out = append(out, p)
		}
	}
	return Merge(out)
}

// Last returns the last address of a prefix.
func Last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// Holds reports whether the address is in one of the prefixes, which are sorted and disjoint.
func Holds(prefixes []netip.Prefix, a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(prefixes, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return found || i > 0 && prefixes[i-1].Contains(a)
}

// Without returns the addresses of a that are not in b, as prefixes; b is sorted and disjoint.
func Without(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range a {
		inside := overlapping(b, p)
		switch {
		case len(inside) == 0:
			out = append(out, p)
		case inside[0].Bits() > p.Bits():
			low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
			high := netip.PrefixFrom(Last(low).Next(), p.Bits()+1)
			out = append(out, Without([]netip.Prefix{low, high}, inside)...)
		}
	}
	return Merge(out)
}

// Common returns the addresses that are in both, as prefixes. Both are sorted and disjoint.
func Common(a, b []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range a {
		for _, q := range overlapping(b, p) {
			if q.Bits() < p.Bits() {
				q = p
			}
			out = append(out, q)
		}
	}
	return out
}

// overlapping returns those of the sorted, disjoint prefixes that share addresses with p: the one that holds it, or all
// that it holds.
func overlapping(prefixes []netip.Prefix, p netip.Prefix) []netip.Prefix {
	first, _ := slices.BinarySearchFunc(prefixes, p.Addr(), func(q netip.Prefix, a netip.Addr) int { return q.Addr().Compare(a) })
	if first > 0 && prefixes[first-1].Overlaps(p) {
		first--
	}
	end := first
	for end < len(prefixes) && prefixes[end].Overlaps(p) {
		end++
	}
	return prefixes[first:end]
}
