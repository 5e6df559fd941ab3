// Package tls makes the script that generates a cluster's certificates: its own authority, a server certificate for
// the Docker API of each manager, a client certificate for each consumer, and the web certificate when it is
// self-signed. The bundle holds the script alone; keys are born on the operator's machine.
package tls

import (
	"embed"
	"slices"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Script is the script's path in the bundle.
const Script = "certs/generate-certificates.sh"

// Names below the directory that the script fills. Servers holds a directory for each manager and Clients one for
// each consumer; Web is there only when the web certificate is self-signed.
const (
	CA      = "ca.pem"
	Servers = "servers"
	Clients = "clients"
	Web     = "web"
)

// Names of files in a manager's, a consumer's and the web directory. The first two hold a copy of CA as well.
const (
	ServerCert = "server-cert.pem"
	ServerKey  = "server-key.pem"
	ClientCert = "cert.pem"
	WebCert    = "web.crt"
)

//go:embed *.sh
var embedded embed.FS

var assets = artifact.Source{Directory: "generators/tls", Files: embedded}

// Files returns the script.
func Files(c *schema.Cluster) ([]artifact.File, error) {
	var servers, names []string
	for _, n := range c.Managers() {
		servers = append(servers, n.Name)
		names = append(names, list(ServerNames(c, n)))
	}
	header := []artifact.Var{
		artifact.String("cluster", c.Name).From("name"),
		artifact.Number("ca_days", c.Certificates.CADays).From("certificates.caDays"),
		artifact.Number("days", c.Certificates.Days).From("certificates.days"),
		artifact.Strings("servers", servers).From("nodes: the managers"),
		artifact.Strings("server_names", names).From("nodes.*.address, nodes.*.public, domain, certificates.names"),
		artifact.Strings("clients", c.Certificates.Clients).From("certificates.clients"),
		artifact.Strings("web_names", alternatives(WebNames(c))).From("services.traefik.certificate"),
	}
	script := artifact.Script(Script, header, assets.Bodies("generate-certificates.sh", "hand-over.sh", "command.sh")...)
	return artifact.Of([]artifact.File{script}, "certificates"), nil
}

// ServerNames returns the names and addresses in the certificate of a manager's Docker API, each once.
func ServerNames(c *schema.Cluster, manager schema.Node) []string {
	names := nodeNames(manager)
	names = append(names, c.Domain)
	names = append(names, c.Certificates.Names...)
	return unique(append(names, "localhost", "127.0.0.1", "::1"))
}

// WebNames returns the names and addresses in the self-signed web certificate, each once, or nil when the certificate
// comes from elsewhere. There is no wildcard: a stack with a name of its own adds it to certificates.names.
func WebNames(c *schema.Cluster) []string {
	if !slices.ContainsFunc(c.Secrets, func(s schema.Secret) bool { return s.Make == "certificate" }) {
		return nil
	}
	names := slices.Concat([]string{c.Domain}, c.Hosts(), c.Certificates.Names)
	for _, n := range c.Nodes {
		if n.Role == "manager" || slices.Contains(c.Duties(n.Name), "traefik") {
			names = append(names, nodeNames(n)...)
		}
	}
	return unique(names)
}

func nodeNames(n schema.Node) []string {
	names := []string{n.Name}
	for _, a := range n.Addresses() {
		names = append(names, a.String())
	}
	return names
}
