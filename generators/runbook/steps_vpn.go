package runbook

import (
	"skep.dev/generators/artifact"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// vpnSteps let people and edge devices in.
func vpnSteps(c *schema.Cluster) []Step {
	a := c.VPNAccess()
	if a == nil {
		return nil
	}
	return []Step{{
		Number: 84, ID: "vpn-authorities", body: "vpn-authorities", files: []string{vpn.PKI}, Hosts: "operator", Order: "parallel", Needs: []string{"operator"},
		Title: "The authorities of the VPN",
		Why:   "server and clients know each other by certificates; keys are born on this machine and stay in its state directory",
		Undo:  "irreversible: the authorities stay; clients hold certificates",
	}, {
		Number: 86, ID: "vpn-access", body: "vpn-access pems", files: []string{folder(vpn.Server)}, Hosts: "duty vpn", Order: "parallel",
		Needs: []string{"packages", "engine", "firewall", "vpn-authorities"},
		Title: "The OpenVPN server",
		Why:   "a unit of the node and no stack; run it again after each client that is revoked",
		Undo:  "stops the server and takes its files away; clients are cut off",
		facts: []artifact.Var{
			artifact.String("vpn_device", a.Device),
		},
	}}
}

// meshSteps put WireGuard between the nodes, before the engine listens there.
func meshSteps(c *schema.Cluster) []Step {
	m := c.Mesh()
	if m == nil {
		return nil
	}
	conf := vpn.Mesh
	if m.Hub != "" {
		conf = vpn.Spoke
	}
	return []Step{{
		Number: 17, ID: "mesh-keys", body: "mesh-keys", files: []string{vpn.MeshCommand}, Hosts: "all", Order: "parallel", Needs: []string{"packages"},
		Title: "Keys of the mesh",
		Why:   "each node makes its own, and the private half never leaves it",
		Undo:  "irreversible: the key stays; remove " + vpn.PrivateKey + " to have another one made",
	}, {
		Number: 18, ID: "mesh-collect", body: "mesh-collect", Hosts: "operator", Order: "parallel", Needs: []string{"mesh-keys"},
		Title: "Public keys of the mesh, for the spec",
		Why:   "the nodes know each other by them; they are reviewed like everything else",
		Undo:  "nothing: the file stays in the state directory",
	}, {
		// Before the firewall: a node that is no part of the mesh yet would be shut out of its swarm.
		Number: 26, ID: "mesh", body: "mesh", files: []string{vpn.MeshCommand, vpn.MeshUnit, conf, vpn.Mesh}, Hosts: "all", Order: "parallel", Needs: []string{"mesh-keys", "mesh-collect"},
		Title: "The mesh",
		Why:   "the nodes' own traffic is encrypted; the engine and the swarm listen on its addresses",
		Undo:  "takes the mesh down: the swarm's nodes lose each other",
		facts: []artifact.Var{
			meshDevice(m),
			artifact.String("mesh_hub", m.Hub).From("services.vpn.mesh.hub"),
			artifact.String("mesh_conf", conf),
			artifact.Strings("mesh_keys", meshKeys(c)).From("nodes.*.mesh.publicKey: node, key"),
		},
	}}
}

func meshKeys(c *schema.Cluster) []string {
	var rows []string
	for _, n := range c.Nodes {
		if n.Mesh != nil && n.Mesh.PublicKey != "" {
			rows = append(rows, n.Name+" "+n.Mesh.PublicKey)
		}
	}
	return rows
}

// mtuField is what decides the MTU of overlays.
func mtuField(c *schema.Cluster) string {
	if c.Mesh() != nil {
		return "network.mtu, less what services.vpn.mesh adds"
	}
	return "network.mtu"
}

// meshDevice also tells the step preflight that addresses are those of an interface which is not there yet.
func meshDevice(m *schema.Mesh) artifact.Var {
	return artifact.String("mesh_device", m.Device).From("services.vpn.mesh")
}

// tunnels are the interfaces of skep's own, whose packets have rules of their own.
func tunnels(c *schema.Cluster) []string {
	var devices []string
	if m := c.Mesh(); m != nil {
		devices = append(devices, m.Device)
	}
	if a := c.VPNAccess(); a != nil {
		devices = append(devices, a.Device)
	}
	return devices
}
