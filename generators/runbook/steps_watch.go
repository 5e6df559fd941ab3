package runbook

import (
	"path"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// swarmCertificate is what a node shows to the managers, below the engine's directory. The swarm renews it by itself, but
// not on a node that is off.
const swarmCertificate = "swarm/certificates/swarm-node.crt"

// watchStep has everything that expires measured, once all of it is there: for an alert, and for status and verify.
func watchStep(c *schema.Cluster) Step {
	facts := []artifact.Var{
		artifact.Number("warn_days", c.Certificates.Warn).From("certificates.warn"),
		artifact.String("tls_directory", c.Engine.TLS).From("engine.tls"),
		artifact.String("swarm_certificate", path.Join(c.Engine.Directory, swarmCertificate)).From("engine.directory"),
		artifact.Strings("clients", c.Certificates.Clients).From("certificates.clients"),
		artifact.Strings("web_names", webNames(c)).From("domain, services.s3.host"),
		artifact.Number("web_port", webPort(c)).From("services.traefik"),
		artifact.String("web_certificate", engine.WebCertificate(c)).From("services.traefik.certificate"),
		artifact.String("web_root", webRoot(c)).From("services.traefik.certificate.acme.root"),
		artifact.Strings("vpn_files", vpnFiles(c)).From("services.vpn.access: what, where"),
	}
	return Step{
		Number: 88, ID: "certificate-watch", body: "certificate-watch handed", files: []string{engine.Watch, engine.WatchService, engine.WatchTimer}, Hosts: "all", Order: "parallel",
		Needs: []string{"server-certificates", "firewall", "engine", "swarm", "traefik", "vpn-access"},
		Title: "What expires is measured",
		Why:   "certificates of the Docker API, the VPN, the web and the swarm, every ten minutes; an alert, status and verify tell",
		Undo:  "stops measuring", facts: facts,
	}
}

// webNames are the names whose certificate visitors see.
func webNames(c *schema.Cluster) []string {
	if webPort(c) == 0 {
		return nil
	}
	return append([]string{c.Domain}, c.Hosts()...)
}

// webPort is where visitors see it, or 0.
func webPort(c *schema.Cluster) int {
	row, _ := c.Exposure("websecure")
	return int(row.Port)
}

// webRoot is the root of an ACME authority of the site's own, as PEM, or nothing.
func webRoot(c *schema.Cluster) string {
	return strings.TrimSpace(c.Rows.Roots["services.traefik.certificate.acme.root"])
}

func vpnFiles(c *schema.Cluster) []string {
	if c.VPNAccess() == nil {
		return nil
	}
	return []string{
		"vpn-authority " + path.Join(vpn.Directory, vpn.CA),
		"vpn-server " + path.Join(vpn.Directory, vpn.Cert),
		"vpn-revocations " + path.Join(vpn.Directory, vpn.CRL),
	}
}
