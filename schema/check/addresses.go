package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// prefixes refuses networks whose address has bits set beyond the prefix: one of the two is a typo.
func (k *checker) prefixes() {
	one := func(path string, p netip.Prefix) {
		switch {
		case p.Addr().Is4In6():
			k.wrong(path, "is IPv4 written as IPv6, which no packet carries; want it as %s", plainPrefix(p))
		case p.IsValid() && p != p.Masked():
			k.wrong(path, "has host bits set: use %s, or /%s for a single host", p.Masked().String(), strconv.Itoa(p.Addr().BitLen()))
		}
	}
	for _, zone := range schema.AccessZones() {
		for i, p := range k.Access.Listed(zone) {
			one(fmt.Sprintf("access.%s.%d", zone, i), p)
		}
	}
	for i, f := range k.Firewall.Forward {
		one(fmt.Sprintf("firewall.forward.%d.from", i), f.Network())
		one(fmt.Sprintf("firewall.forward.%d.to", i), f.To)
	}
	one("network.public.subnet", k.Network.Public.Subnet)
	one("engine.pool.subnet", k.Engine.Pool.Subnet)
	one("engine.bridges.subnet", k.Engine.Bridges.Subnet)
	if m := k.Mesh(); m != nil {
		one("services.vpn.mesh.subnet", m.Subnet)
	}
	if a := k.VPNAccess(); a != nil {
		one("services.vpn.access.subnet", a.Subnet)
		for i, p := range a.Routes {
			one(fmt.Sprintf("services.vpn.access.routes.%d", i), p)
		}
	}
}

// plainPrefix is an IPv4 network as it is written elsewhere.
func plainPrefix(p netip.Prefix) string {
	return netip.PrefixFrom(p.Addr().Unmap(), max(p.Bits()-96, 0)).Masked().String()
}

// owner is a node's use of an address.
type owner struct{ node, path string }

// addresses looks at the nodes' own: one host each, one family for all, and none twice however it is written.
func (k *checker) addresses() {
	owners := map[netip.Addr][]owner{}
	for _, n := range k.Nodes {
		owners[n.Address] = append(owners[n.Address], owner{n.Name, nodePath(n, "address")})
		k.hostAddress(nodePath(n, "address"), n.Address)
		if n.Public.IsValid() {
			k.hostAddress(nodePath(n, "public"), n.Public)
			if n.Public != n.Address {
				owners[n.Public] = append(owners[n.Public], owner{n.Name, nodePath(n, "public")})
			}
		}
	}
	for _, n := range k.Nodes { // in the order of names, not of the map
		for _, a := range []netip.Addr{n.Address, n.Public} {
			if all := owners[a]; a.IsValid() && len(all) > 1 {
				k.add(finding.SharedAddress, all[len(all)-1].path, "address %s is shared by %s", a.String(), nodesOf(all))
				delete(owners, a)
			}
		}
	}
	k.families()
}

func nodesOf(all []owner) string {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.node
	}
	if len(names) == 1 {
		return "node " + names[0]
	}
	return finding.Nodes(names)
}

func (k *checker) hostAddress(path string, a netip.Addr) {
	switch {
	case a.Is4In6():
		k.wrong(path, "is IPv4 written as IPv6; want it as %s", a.Unmap().String())
	case a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		k.wrong(path, "must be a unicast address that the other nodes can reach")
	case a.IsLinkLocalUnicast():
		k.wrong(path, "must not be link-local")
	}
}

// hostKeys wants keys of every node where any has one: the runbook then knows nodes by the spec alone.
func (k *checker) hostKeys() {
	with := slices.IndexFunc(k.Nodes, func(n schema.Node) bool { return len(n.SSH.HostKeys) > 0 })
	if with < 0 {
		return
	}
	var without []owner
	for _, n := range k.Nodes {
		if len(n.SSH.HostKeys) == 0 {
			without = append(without, owner{n.Name, nodePath(n, "ssh.hostKeys")})
		}
	}
	if len(without) > 0 {
		k.add(finding.FieldsDisagree, without[0].path, "want the host key of %s too, since %s has one: the runbook then logs in to nobody else", nodesOf(without), k.Nodes[with].Name)
	}
}

// families refuses a mix of IPv4 and IPv6: the managers of a swarm advertise, and its nodes join at, addresses of one family.
func (k *checker) families() {
	var four, six []*schema.Node
	for i := range k.Nodes {
		if n := &k.Nodes[i]; n.Address.Unmap().Is4() {
			four = append(four, n)
		} else {
			six = append(six, n)
		}
	}
	few, most := six, four
	if len(six) > len(four) {
		few, most = four, six
	}
	if len(few) > 0 {
		k.add(finding.FieldsDisagree, nodePath(*few[0], "address"), "is %s but %s (node %s) is %s; a swarm needs all nodes on IPv4, or all on IPv6", family(few[0].Address), most[0].Address.String(), most[0].Name, family(most[0].Address))
	}
}

func family(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// subnets refuses overlap of the cluster's own networks with one another, with the nodes and with zones: packets would go astray.
func (k *checker) subnets() {
	all := k.OwnNetworks()
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Prefix.Overlaps(b.Prefix) {
				at, other := b, a
				if !k.spec.Has(b.Field) && k.spec.Has(a.Field) {
					at, other = a, b
				}
				k.add(finding.NetworksOverlap, at.Field, "overlaps %s, which is %s", other.Field, other.Prefix.String())
			}
		}
		k.nodesInside(a)
		k.zonesInside(a)
	}
}

// zonesInside refuses zones with addresses that lie in a subnet: answers to them would go to containers or tunnels, so a
// zone of operators locks itself out. The world may hold everything. So may wide users, who are the world of a closed
// site; Lint tells about these. The VPN's own subnet has words of its own.
func (k *checker) zonesInside(s schema.OwnNetwork) {
	if a := k.VPNAccess(); a != nil && s.Prefix == a.Subnet {
		return
	}
	for _, zone := range schema.AccessZones() {
		for i, p := range k.Access.Listed(zone) {
			if p.Bits() == 0 || !p.Overlaps(s.Prefix) || zone == "users" && p.Bits() < s.Prefix.Bits() {
				continue
			}
			at := fmt.Sprintf("access.%s.%d", zone, i)
			switch {
			case k.spec.Has(s.Field):
				k.add(finding.NetworksOverlap, s.Field, "overlaps %s in access.%s, which would get no answer; choose a range that nothing else uses", p.String(), zone)
			case p.Bits() < s.Prefix.Bits():
				k.add(finding.NetworksOverlap, at, "holds %s, which is %s unless you set another: nobody there would get an answer; leave it out (%s), or set another", s.Field, s.Prefix.String(), prefixesText(without(p, s.Prefix)))
			default:
				k.add(finding.NetworksOverlap, at, "lies in %s, which is %s unless you set another: nobody there would get an answer", s.Field, s.Prefix.String())
			}
		}
	}
}

// without returns what is left of a network when one within it is taken out, in the order of addresses.
func without(outer, inner netip.Prefix) []netip.Prefix {
	var before, after []netip.Prefix
	for half := outer.Masked(); half.Bits() < inner.Bits(); {
		low := netip.PrefixFrom(half.Addr(), half.Bits()+1)
		upper := low.Addr().AsSlice()
		upper[half.Bits()/8] |= 0x80 >> (half.Bits() % 8)
		address, _ := netip.AddrFromSlice(upper)
		high := netip.PrefixFrom(address, half.Bits()+1)
		if low.Contains(inner.Addr()) {
			after, half = append(after, high), low
		} else {
			before, half = append(before, low), high
		}
	}
	slices.Reverse(after)
	return append(before, after...)
}

func prefixesText(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// nodesInside reports nodes whose address lies in a subnet: one mistake, however many they are.
func (k *checker) nodesInside(s schema.OwnNetwork) {
	var inside []owner
	for _, n := range k.Nodes {
		switch {
		case s.Prefix.Contains(n.Address):
			inside = append(inside, owner{n.Name, nodePath(n, "address")})
		case n.Public.IsValid() && s.Prefix.Contains(n.Public):
			inside = append(inside, owner{n.Name, nodePath(n, "public")})
		}
	}
	switch {
	case len(inside) == 0:
	case k.spec.Has(s.Field):
		k.add(finding.NetworksOverlap, s.Field, "holds the address of %s; choose a range that nothing else uses", nodesOf(inside))
	default:
		k.add(finding.NetworksOverlap, inside[0].path, "lies in %s, which is %s unless you set another (%s)", s.Field, s.Prefix.String(), nodesOf(inside))
	}
}

// pools compares the size of one network with that of the range it is cut from.
func (k *checker) pools() {
	overlays := 1 // ingress
	for _, n := range k.Networks {
		if n.Subnet == "" {
			overlays++
		}
	}
	k.pool("engine.pool", k.Engine.Pool, overlays, "the ingress and the shared overlays")
	k.pool("engine.bridges", k.Engine.Bridges, 2, "docker0 and docker_gwbridge")
}

func (k *checker) pool(path string, p schema.Pool, need int, users string) {
	at := k.spec.FirstOf(path+".size", path+".subnet")
	bits := p.Subnet.Bits()
	switch {
	case p.Size < bits:
		k.add(finding.FieldsDisagree, at, "want a prefix length from %s to 28, since %s.subnet is a /%s", strconv.Itoa(bits), path, strconv.Itoa(bits))
	case p.Size-bits < 16 && 1<<(p.Size-bits) < need:
		k.add(finding.FieldsDisagree, at, "has room for %s of the %s networks of prefix length %s that %s need", strconv.Itoa(1<<(p.Size-bits)), strconv.Itoa(need), strconv.Itoa(p.Size), users)
	}
}
