package netset

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"skep.dev/schema"
)

// Union returns the ranges sorted, with overlapping and adjacent ones joined.
func Union(ranges []schema.PortRange) []schema.PortRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b schema.PortRange) int { return cmp.Compare(a.First, b.First) })
	var out []schema.PortRange
	for _, r := range sorted {
		if n := len(out); n > 0 && int(r.First) <= int(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Subtract returns what is left of the ranges without the holes, sorted and joined.
func Subtract(ranges, holes []schema.PortRange) []schema.PortRange {
	holes = Union(holes)
	var left []schema.PortRange
	for _, r := range Union(ranges) {
		first := int(r.First)
		for _, h := range holes {
			if int(h.Last) < first || h.First > r.Last {
				continue
			}
			if int(h.First) > first {
				left = append(left, schema.PortRange{First: uint16(first), Last: h.First - 1})
			}
			first = int(h.Last) + 1
		}
		if first <= int(r.Last) {
			left = append(left, schema.PortRange{First: uint16(first), Last: r.Last})
		}
	}
	return left
}

// Contains reports whether the port is in one of the ranges, which are sorted and disjoint.
func Contains(ranges []schema.PortRange, port uint16) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].Last >= port })
	return i < len(ranges) && ranges[i].First <= port
}

// Span writes a range, such as "30000-32767", or its port where it has only one.
func Span(r schema.PortRange, dash string) string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d%s%d", r.First, dash, r.Last)
}
