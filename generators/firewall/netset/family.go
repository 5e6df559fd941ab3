package netset

import "net/netip"

// Family is an address family.
type Family int

// The families.
const (
	V4 Family = 4
	V6 Family = 6
)

// Families returns both, in the order in which they are written.
func Families() []Family { return []Family{V4, V6} }

// FamilyOf returns the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return V4
	}
	return V6
}

// Suffix ends the names of what is made for one family: "4" or "6".
func (f Family) Suffix() string { return map[Family]string{V4: "4", V6: "6"}[f] }

// Unspecified is the address of the family that no machine has.
func (f Family) Unspecified() netip.Addr {
	if f == V4 {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// World is every address of the family.
func (f Family) World() netip.Prefix { return netip.PrefixFrom(f.Unspecified(), 0) }
