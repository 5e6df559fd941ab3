package schema

import "fmt"

// meshMost is the number of nodes up to which each may talk to each: every one of them knows all others.
const meshMost = 50

// mesh finds what works and costs more than it gives.
func (l *linter) mesh() {
	m := l.Mesh()
	if m == nil {
		return
	}
	if n := len(l.Nodes); n > meshMost && m.Hub == "" {
		l.add("mesh-large", "services.vpn.mesh", fmt.Sprintf("%d nodes keep %d tunnels; name a hub", n, n*(n-1)/2))
	}
	if l.Network.Public.Encrypted {
		l.add("mesh-encrypted", "network.public.encrypted", "encrypts what the mesh has encrypted already, and takes another 26 bytes of each packet")
	}
	var without []string
	for _, n := range l.Nodes {
		if n.Mesh == nil || n.Mesh.PublicKey == "" {
			without = append(without, n.Name)
		}
	}
	if len(without) > 0 {
		l.add("mesh-keys", "services.vpn.mesh", fmt.Sprintf("no public key of %s yet: run the step mesh-keys, and put what it collects into the spec", several(without)))
	}
}

func meshAdvice() []Advice {
	return []Advice{
		{
			ID:    "mesh-encrypted",
			Title: "encrypted overlays run over an encrypted mesh",
			Why:   "WireGuard encrypts all traffic between the nodes. IPsec below it does so once more, takes processor time and room in every packet, and needs ESP.",
			Way:   "Set network.public.encrypted to false. It is fixed when the network is made.",
		},
		{
			ID:    "mesh-keys",
			Title: "nodes of the mesh have no public key yet",
			Why:   "A node makes its key itself, and the others know it by the public half, which has to stand in the spec. Until then the step mesh refuses.",
			Way:   "Run ./runbook.sh run --to mesh-collect, look at STATE/mesh.cue, put it beside the spec or into it, and build again.",
		},
		{
			ID:    "mesh-large",
			Title: "a large mesh without a hub",
			Why:   "In a full mesh every node knows all others: each new one changes the configuration of all, and the tunnels grow with the square of the nodes.",
			Way:   "Name a node in services.vpn.mesh.hub: the others talk through it. It carries all their traffic, so give it the network for it.",
		},
	}
}
