// Package vpn makes WireGuard between the nodes, and the OpenVPN server that lets people and edge devices in: its configuration, its systemd unit, what
// forwards its packets, and the scripts for its certificates. Keys are born on the operator's machine, not in the bundle.
package vpn

import (
	"embed"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Paths in the bundle.
const (
	Server  = "vpn/server.conf"
	Unit    = "vpn/skep-vpn.service"
	Forward = "vpn/skep-vpn-forward.sh"
	PKI     = "vpn/generate-vpn-pki.sh"
	Client  = "vpn/vpn-client.sh"
	Service = "vpn/nuvla-vpn-service.sh"
)

// Paths on the server. A user without rights reads the revocation list there, once for each client that connects.
const (
	Directory        = "/etc/openvpn/skep"
	InstalledServer  = Directory + "/server.conf"
	InstalledUnit    = "/etc/systemd/system/" + UnitName
	InstalledForward = "/usr/local/sbin/skep-vpn-forward"
	UnitName         = "skep-vpn.service"
)

// Names of the files that generate-vpn-pki.sh makes for the server, in the directory "server", and that stand in
// Directory on the node.
const (
	CA       = "ca.pem"
	Cert     = "cert.pem"
	Key      = "key.pem"
	TLSCrypt = "tls-crypt.key"
	CRL      = "crl.pem"
)

// The profile in vpn-client.sh is to the letter what Nuvla's web interface and NuvlaEdge write.
//
//go:embed *.sh *.service
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/vpn", Files: embedded}

// Files returns the files of services.vpn, or nothing when the cluster has none.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var files []artifact.File
	if m := c.Mesh(); m != nil {
		files = artifact.Of(meshFiles(c, m), "services.vpn.mesh")
	}
	if a := c.VPNAccess(); a != nil {
		files = append(files, artifact.Of(accessFiles(c, a), "services.vpn.access")...)
	}
	return files, nil
}

func accessFiles(c *schema.Cluster, a *schema.VPNAccess) []artifact.File {
	files := []artifact.File{
		artifact.Text(Server, server(c, a)),
		assets.Own(Unit, "skep-vpn.service"),
		forward(a),
		artifact.Script(PKI, append(common(c, a),
			artifact.Number("ca_days", a.CADays).From("services.vpn.access.caDays"),
		), assets.Bodies("pki.sh", "generate-vpn-pki.sh")...),
		artifact.Script(Client, append(common(c, a), endpoint(a)...), assets.Bodies("pki.sh", "vpn-client.sh")...),
	}
	if c.ServesNuvla() {
		files = append(files, service(c, a))
	}
	return files
}

// service tells Nuvla about the VPN.
func service(c *schema.Cluster, a *schema.VPNAccess) artifact.File {
	return artifact.Script(Service, append([]artifact.Var{
		artifact.String("cluster", c.Name).From("name"),
		artifact.String("scope", a.Scope).From("services.vpn.access.scope"),
		artifact.String("prefix", a.Prefix).From("services.vpn.access.prefix"),
	}, endpoint(a)...), assets.Bodies("nuvla-vpn-service.sh")...)
}

// common is what the scripts for certificates share.
func common(c *schema.Cluster, a *schema.VPNAccess) []artifact.Var {
	return []artifact.Var{
		artifact.String("cluster", c.Name).From("name"),
		artifact.String("prefix", a.Prefix).From("services.vpn.access.prefix"),
		artifact.Number("days", a.Days).From("services.vpn.access.days"),
	}
}

// endpoint is where clients connect.
func endpoint(a *schema.VPNAccess) []artifact.Var {
	return []artifact.Var{
		artifact.String("endpoint", a.Endpoint).From("services.vpn.access.endpoint"),
		artifact.Number("port", int(a.Port)).From("services.vpn.access.port"),
		artifact.String("protocol", a.Protocol).From("services.vpn.access.protocol"),
	}
}

func forward(a *schema.VPNAccess) artifact.File {
	routes := make([]string, len(a.Routes))
	for i, r := range a.Routes {
		routes[i] = r.String()
	}
	return artifact.Script(Forward, []artifact.Var{
		artifact.String("device", a.Device),
		artifact.String("subnet", a.Subnet.String()).From("services.vpn.access.subnet"),
		artifact.Strings("routes", routes).From("services.vpn.access.routes"),
	}, assets.Bodies("skep-vpn-forward.sh")...)
}
