package lint

import (
	"fmt"

	"skep.dev/schema/finding"
)

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
		l.add("mesh-keys", "services.vpn.mesh", fmt.Sprintf("no public key of %s yet: run the step mesh-keys, and put what it collects into the spec", finding.Several(without)))
	}
}
