package check

import (
	"net/netip"
	"strconv"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// meshMember is a node or a peer of the mesh, and its path in the spec.
type meshMember struct {
	name, path, key string
	number          int
	address         netip.Addr
}

func (k *checker) meshMembers(m *schema.Mesh) []meshMember {
	var out []meshMember
	for _, n := range k.Nodes {
		member := meshMember{name: n.Name, path: nodePath(n, "mesh"), address: m.OfNode(n)}
		if n.Mesh != nil {
			member.key, member.number = n.Mesh.PublicKey, n.Mesh.Number
		}
		out = append(out, member)
	}
	for _, p := range m.Peers {
		out = append(out, meshMember{p.Name, schema.JoinPath("services", "vpn", "mesh", "peers", p.Name), p.PublicKey, p.Number, m.OfPeer(p)})
	}
	return out
}

// mesh looks at what WireGuard would take without a word: a key or an address of two belongs to the last one.
func (k *checker) mesh() {
	m := k.Mesh()
	if m == nil {
		return
	}
	const at = "services.vpn.mesh.subnet"
	bits, count := m.Subnet.Bits(), len(k.Nodes)+len(m.Peers)
	if room := 1<<(32-bits) - 2; bits < 8 || bits > 29 || room < count {
		k.add(finding.FieldsDisagree, at, "want a prefix length from 8 to 29 with room for the %s nodes and peers; a /%s has room for %s", strconv.Itoa(count), strconv.Itoa(bits), strconv.Itoa(max(room, 0)))
		return
	}
	members := k.meshMembers(m)
	taken := map[netip.Addr]string{}
	for _, member := range members {
		taken[member.address] = ""
	}
	keys, numbers := map[string]string{}, map[netip.Addr]string{}
	for _, member := range members {
		if other := keys[member.key]; other != "" {
			k.add(finding.Repeated, member.path+".publicKey", "is the key of %s: each machine makes its own", other)
		} else if member.key != "" {
			keys[member.key] = member.name
		}
		switch other := numbers[member.address]; {
		case member.number > 1<<(32-bits)-2:
			k.add(finding.FieldsDisagree, member.path+".number", "lies beyond services.vpn.mesh.subnet, which is %s", m.Subnet.String())
		case other != "":
			k.add(finding.SharedAddress, member.path, "gets the address %s, as %s does; give one of them a number of its own, such as %s", member.address.String(), other, strconv.Itoa(freeNumber(m, taken)))
		default:
			numbers[member.address] = member.name
		}
	}
}

// freeNumber is the first number that nobody has.
func freeNumber(m *schema.Mesh, taken map[netip.Addr]string) int {
	for n := 1; ; n++ {
		a := m.Address("", n)
		if _, ok := taken[a]; !ok {
			taken[a] = ""
			return n
		}
	}
}
