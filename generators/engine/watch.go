package engine

import (
	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// What measures when certificates expire and whether the firewall is settled, in the bundle.
const (
	Watch        = "engine/skep-certificates.sh"
	WatchService = "engine/skep-certificates.service"
	WatchTimer   = "engine/skep-certificates.timer"
)

// Where it is installed on every node, and what it writes. Everybody may read Measures: node-exporter is nobody.
// WatchList is what the runbook tells it to measure, WebTrust the authority of the web certificate where the system knows
// none.
const (
	InstalledWatch        = "/usr/local/sbin/skep-certificates"
	InstalledWatchService = "/etc/systemd/system/skep-certificates.service"
	InstalledWatchTimer   = "/etc/systemd/system/skep-certificates.timer"
	Measures              = "/var/lib/skep-metrics"
	CertificateMeasures   = Measures + "/certificates.prom"
	WatchList             = "/var/lib/skep/certificates"
	WebTrust              = "/var/lib/skep/web-trust.pem"
)

// watch returns the script that measures, and the units that call it.
func watch(c *schema.Cluster) []artifact.File {
	return []artifact.File{
		artifact.Script(Watch, []artifact.Var{
			artifact.String("list", WatchList),
			artifact.String("trust", WebTrust),
			artifact.String("web_certificate", WebCertificate(c)).From("services.traefik.certificate"),
			artifact.String("firewall", firewall.CommandPath),
			artifact.String("measures", CertificateMeasures),
		}, assets.Bodies("skep-certificates.sh")...),
		assets.Own(WatchService, "skep-certificates.service"),
		assets.Own(WatchTimer, "skep-certificates.timer"),
	}
}

// WebCertificate returns where the web certificate comes from, "selfSigned", "acme" or "files", or nothing without Traefik.
func WebCertificate(c *schema.Cluster) string {
	t := c.Services.Traefik
	switch {
	case t == nil:
		return ""
	case t.Certificate.SelfSigned != nil:
		return "selfSigned"
	case t.Certificate.ACME != nil:
		return "acme"
	}
	return "files"
}
