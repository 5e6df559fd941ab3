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
		Number: 84, ID: "vpn-authorities", script: "vpn-authorities", Hosts: "operator", Order: "parallel", Needs: []string{"operator"},
		Title: "The authorities of the VPN",
		Why:   "server and clients know each other by certificates; keys are born on this machine and stay in its state directory",
		Undo:  "irreversible: the authorities stay; clients hold certificates",
	}, {
		Number: 86, ID: "vpn-access", script: "vpn-access", Hosts: "duty vpn", Order: "parallel",
		Needs: []string{"packages", "engine", "firewall", "vpn-authorities"},
		Title: "The OpenVPN server",
		Why:   "a unit of the node and no stack; run it again after each client that is revoked",
		Undo:  "stops the server and takes its files away; clients are cut off",
		header: []artifact.Var{
			artifact.String("directory", vpn.Directory),
			artifact.String("unit", vpn.UnitName),
			artifact.String("device", a.Device),
			artifact.Strings("sources", []string{vpn.Server, vpn.Unit, vpn.Forward}),
			artifact.Strings("targets", []string{vpn.InstalledServer, vpn.InstalledUnit, vpn.InstalledForward}),
			artifact.Strings("pems", []string{vpn.CA, vpn.Cert, vpn.Key, vpn.TLSCrypt, vpn.CRL}),
		},
	}}
}
