package schema

import (
	"hash/fnv"
	"net/netip"
	"slices"
)

// Mesh is WireGuard between the nodes. Hub is empty in a full mesh; Overhead is in bytes, Keepalive in seconds.
type Mesh struct {
	Subnet    netip.Prefix `json:"subnet"`
	Port      uint16       `json:"port"`
	Hub       string       `json:"hub,omitempty"`
	Peers     MeshPeers    `json:"peers"`
	Device    string       `json:"device"`
	Overhead  int          `json:"overhead"`
	Keepalive int          `json:"keepalive"`
}

// MeshNode is a node's part in the mesh. Number is 0 where the name decides, PublicKey empty until it was collected.
type MeshNode struct {
	PublicKey string `json:"publicKey,omitempty"`
	Number    int    `json:"number,omitempty"`
}

// MeshPeer is a machine elsewhere that joins the mesh.
type MeshPeer struct {
	Name      string `json:"-"`
	PublicKey string `json:"publicKey"`
	Zone      string `json:"zone"`
	Number    int    `json:"number,omitempty"`
}

// Mesh returns services.vpn.mesh, or nil.
func (c *Cluster) Mesh() *Mesh { return c.Services.VPN.Mesh }

// OfNode is the address of a node in the mesh.
func (m *Mesh) OfNode(n Node) netip.Addr {
	if n.Mesh == nil {
		return m.Address(n.Name, 0)
	}
	return m.Address(n.Name, n.Mesh.Number)
}

// OfPeer is the address of a peer in the mesh.
func (m *Mesh) OfPeer(p MeshPeer) netip.Addr { return m.Address(p.Name, p.Number) }

// Address is that of a name in the mesh, where number is not 0 of that number. It follows from the name alone: whoever comes or goes moves nobody, and nothing has to be remembered. Where two
// names lead to one address the spec is refused, and one of them gets a number.
func (m *Mesh) Address(name string, number int) netip.Addr {
	room := uint32(1)<<(32-m.Subnet.Bits()) - 2 // neither the first nor the last
	at := uint32(number)
	if number == 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name))
		at = h.Sum32()%room + 1
	}
	base := m.Subnet.Addr().As4()
	sum := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	sum += at
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// MoveIntoMesh gives the nodes their addresses in the mesh, where there is one: their own traffic goes over these, and
// everybody else reaches them where they were.
func (c *Cluster) MoveIntoMesh() {
	m := c.Mesh()
	if m == nil {
		return
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.Underlay, n.outside = n.Address, n.Public
		if !n.Public.IsValid() {
			n.Public = n.Address
		}
		n.Address = m.OfNode(*n)
	}
}

// Addresses returns all that the node answers at, each once: the one that the other nodes know it by comes first.
func (n Node) Addresses() []netip.Addr {
	var out []netip.Addr
	for _, a := range []netip.Addr{n.Address, n.Public, n.Underlay} {
		if a.IsValid() && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// OverlayMTU is what the links between nodes leave for overlays, in bytes.
func (c *Cluster) OverlayMTU() int {
	if m := c.Mesh(); m != nil {
		return c.Network.MTU - m.Overhead
	}
	return c.Network.MTU
}
