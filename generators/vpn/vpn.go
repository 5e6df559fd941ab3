// Package vpn makes WireGuard between the nodes, and the OpenVPN server that lets people and edge devices in: its configuration, its systemd unit, what
// forwards its packets, and the scripts for its certificates. Keys are born on the operator's machine, not in the bundle.
package vpn

import (
	_ "embed" // the bodies of the scripts and the unit

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

//go:embed pki.sh
var pkiBody string

//go:embed generate-vpn-pki.sh
var generateBody string

// The profile in it is to the letter what Nuvla's web interface and NuvlaEdge write.
//
//go:embed vpn-client.sh
var clientBody string

//go:embed nuvla-vpn-service.sh
var serviceBody string

//go:embed skep-vpn-forward.sh
var forwardBody string

//go:embed skep-vpn.service
var unit string

// Files returns the files of services.vpn, or nothing when the cluster has none.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var files []artifact.File
	if m := c.Mesh(); m != nil {
		files = meshFiles(c, m)
	}
	if a := c.VPNAccess(); a != nil {
		files = append(files, accessFiles(c, a)...)
	}
	return files, nil
}

func accessFiles(c *schema.Cluster, a *schema.VPNAccess) []artifact.File {
	files := []artifact.File{
		artifact.Text(Server, server(c, a)),
		artifact.Own(Unit, []byte(unit)),
		forward(a),
		artifact.Script(PKI, append(common(c, a),
			artifact.Number("ca_days", a.CADays).From("services.vpn.access.caDays"),
		), pkiBody+"\n"+generateBody),
		artifact.Script(Client, append(common(c, a), endpoint(a)...), pkiBody+"\n"+clientBody),
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
	}, endpoint(a)...), serviceBody)
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
	}, forwardBody)
}
