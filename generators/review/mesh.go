package review

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

//go:embed mesh.md
var meshText string

// mesh tells about services.vpn.mesh.
func mesh(c *schema.Cluster) string {
	m := c.Mesh()
	members := table{{"node", "in the mesh", "on the link"}}
	for _, n := range slices.SortedFunc(slices.Values(c.Nodes), func(a, b schema.Node) int { return natural(a.Name, b.Name) }) {
		members = append(members, []string{n.Name, m.OfNode(n).String(), n.Underlay.String()})
	}
	peers := table{{"peer", "in the mesh", "zone"}}
	for _, p := range m.Peers {
		peers = append(peers, []string{p.Name, m.OfPeer(p).String(), p.Zone})
	}
	text := choose(meshText, map[string]bool{"hub": m.Hub != "", "peers": len(m.Peers) > 0})
	return strings.NewReplacer("DEVICE", m.Device, "PORT", fmt.Sprint(m.Port), "KEY", vpn.PrivateKey, "HUB", m.Hub,
		"MTU", fmt.Sprint(c.OverlayMTU()), "MEMBERS\n", members.String()+"\n", "PEERS\n", peers.String()).Replace(text)
}
