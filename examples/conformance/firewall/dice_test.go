package firewall

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// dice draws packets: most of them at the borders of networks and ranges, where mistakes are.
type dice struct {
	*rand.Rand
	cluster *schema.Cluster
	node    schema.Node
	sources map[int][]netip.Addr // by family
	ports   []uint16
}

// fill collects the borders of every network and range of the spec.
func (d *dice) fill() {
	d.sources = map[int][]netip.Addr{}
	var prefixes []netip.Prefix
	for _, zone := range []string{"management", "nuvla", "users"} {
		prefixes = append(prefixes, d.cluster.Zone(zone)...)
	}
	if m := d.cluster.Mesh(); m != nil {
		prefixes = append(prefixes, m.Subnet)
	}
	for _, n := range d.cluster.Nodes {
		for _, a := range []netip.Addr{n.Address, n.Public, n.Underlay} {
			if a.IsValid() {
				prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
			}
		}
	}
	prefixes = append(prefixes, d.cluster.Engine.Bridges.Subnet, netip.MustParsePrefix("fe80::/10"))
	for _, f := range d.cluster.Firewall.Forward {
		if n := f.Network(); n.IsValid() {
			prefixes = append(prefixes, n)
		}
		prefixes = append(prefixes, f.To)
	}
	prefixes = append(prefixes, guests...)
	for _, p := range prefixes {
		first, last := p.Masked().Addr(), lastOf(p)
		for _, a := range []netip.Addr{first, first.Prev(), first.Next(), last, last.Next(), last.Prev(), d.within(p)} {
			d.source(a)
		}
	}
	for range 50 {
		d.source(d.within(netip.MustParsePrefix("0.0.0.0/0")))
		d.source(d.within(netip.MustParsePrefix("2000::/3")))
	}
	d.ports = []uint16{1, 22, 53, 67, 68, 111, 546, 2049, 2375, 33332, 33333, 33336, 33337, 65535}
	for _, e := range d.cluster.Exposures {
		for _, p := range []int{int(e.Port) - 1, int(e.Port), int(e.Last), int(e.Last) + 1, int(e.Port) + d.IntN(int(e.Last-e.Port)+1)} {
			if p > 0 && p <= 65535 {
				d.ports = append(d.ports, uint16(p))
			}
		}
	}
}

// source adds an address that the kernel lets in at all: it drops some of IPv6 before any rule (ip6_rcv).
func (d *dice) source(a netip.Addr) {
	if !a.IsValid() || a.IsMulticast() && a.Is6() || a.IsLoopback() || a.Is4In6() {
		return
	}
	d.sources[family(a)] = append(d.sources[family(a)], a)
}

// within is any address of the prefix.
func (d *dice) within(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		if d.IntN(2) == 1 {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// packet draws one.
func (d *dice) packet() proof.Packet {
	f := d.IntN(2)
	p := proof.Packet{Src: pick(d, d.sources[f]), SrcPort: uint16(1 + d.IntN(65535)), Port: pick(d, d.ports)}
	if d.IntN(4) == 0 {
		p.Device = pick(d, devices[1:])
	}
	if d.IntN(5) == 0 {
		p.Port = uint16(1 + d.IntN(65535))
	}
	switch d.IntN(10) {
	case 0:
		p.Proto = pick(d, []string{"esp", "vrrp", "99", "gre"})
	case 1:
		p.Proto, p.ICMP = "icmp", d.IntN(20)
		if f == 1 && d.IntN(2) == 0 {
			p.ICMP = 120 + d.IntN(40)
		}
	case 2, 3, 4:
		p.Proto = "udp"
	default:
		p.Proto = "tcp"
	}
	if p.Proto == "udp" && d.IntN(8) == 0 { // answers of address servers
		p.SrcPort, p.Port = []uint16{67, 547, 68}[d.IntN(3)], []uint16{68, 546}[d.IntN(2)]
	}
	if !schema.HasPorts(p.Proto) {
		p.Port = 0
	}
	p.Dst, p.Elsewhere = d.destination(f)
	if m := d.cluster.Mesh(); m != nil && m.Subnet.Contains(p.Src) && d.IntN(2) == 0 {
		p.Device = meshLink
	}
	if d.IntN(6) == 0 || guests[f].Contains(p.Src) && d.IntN(2) == 0 { // in transit, from a guest
		p.Src, p.Device = d.within(guests[f]), guestLink
		if a, elsewhere := d.destination(f); elsewhere {
			p.Dst, p.Elsewhere = a, true
		}
	}
	p.Stray = d.stray(p)
	return p
}

// stray reports whether the way back is another one: every link leads to its own neighbours, and the first to all else.
func (d *dice) stray(p proof.Packet) bool {
	switch {
	case linkOnly.Contains(p.Src):
		return false
	case p.Src.Is4() && p.Src.As4()[0] == 0 && p.Dst == lastOf(netip.MustParsePrefix("0.0.0.0/0")):
		return false // who asks for an address
	case slices.Contains([]netip.Addr{d.node.Address, d.node.Public, d.node.Underlay}, p.Src):
		return true
	case p.Device == guestLink:
		return !guests[family(p.Src)].Contains(p.Src)
	}
	return p.Device != "" || slices.ContainsFunc(guests, func(g netip.Prefix) bool { return g.Contains(p.Src) })
}

func pick[T any](d *dice, of []T) T { return of[d.IntN(len(of))] }

// destination is an address of the node, of another machine, or of all on the link.
func (d *dice) destination(f int) (a netip.Addr, elsewhere bool) {
	switch d.IntN(8) {
	case 0:
		return [...]netip.Addr{netip.MustParseAddr("255.255.255.255"), netip.MustParseAddr("ff02::1")}[f], false
	case 1, 2:
		a = pick(d, d.sources[f])
	case 3:
		a = d.within(netip.MustParsePrefix([]string{"0.0.0.0/0", "2000::/3"}[f]))
	default:
		return d.within(anyLocal[f]), false
	}
	own := slices.Contains([]netip.Addr{d.node.Address, d.node.Public, d.node.Underlay}, a) || anyLocal[f].Contains(a)
	if a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a == lastOf(netip.MustParsePrefix("0.0.0.0/0")) ||
		f == 1 && a == guests[f].Addr() || // every router of that link has it (RFC 4291, 2.6.1)
		f == 0 && a.As4()[0] == 0 || f == 0 && (a.As4()[0] == 127 || a.As4()[0] >= 224) {
		return d.within(anyLocal[f]), false
	}
	return a, !own
}
