package stack

import (
	"fmt"
	"regexp"

	"skep.dev/schema"
)

// expiryRules tell what expires, what visitors refuse, and when nobody would notice. The measures are those of
// skep-certificates on every node, and Traefik's own.
func expiryRules(c *schema.Cluster) ruleGroup {
	days := c.Services.Monitoring.Thresholds.Certificate
	return ruleGroup{"expiry", []rule{
		alert("CertificateExpires", warning, "1h", "{{ $labels.what }} on {{ $labels.node }} expires in {{ $value | printf `%.0f` }} days: {{ $labels.name }}.",
			`(skep_certificate_not_after_seconds{what!~".+-client"} - time()) / 86400 < %d`, days),
		// Every manager knows the client's date; one that was away at the last run knows an old one.
		alert("ClientCertificateExpires", warning, "1h", "What {{ $labels.name }} holds ({{ $labels.what }}) expires in {{ $value | printf `%.0f` }} days: hand the next one over.",
			`(max by (what, name) (skep_certificate_not_after_seconds{what=~".+-client"}) - time()) / 86400 < %d`, days),
		// Traefik keeps the old certificate's measure after each renewal (traefik#8606): the newest of a name counts.
		alert("RouteCertificateExpires", warning, "1h", "The certificate of {{ $labels.cn }} ({{ $labels.sans }}) on {{ $labels.node }} expires in {{ $value | printf `%.0f` }} days.",
			`(max by (node, cn, sans) (traefik_tls_certs_not_after) - time()) / 86400 < %d`, days),
		// Traefik leaves the certificate that it makes for want of another out of its measures.
		alert("WebCertificateMissing", critical, "1h", "Traefik on {{ $labels.node }} has no certificate for "+c.Domain+": visitors are warned of a forgery.",
			`up{job="traefik"} == 1 unless on (instance) traefik_tls_certs_not_after`+webSelector(c)),
		alert("WebCertificateRefused", critical, "1h", "Visitors of {{ $labels.name }} do not believe the certificate that {{ $labels.node }} serves.",
			`skep_certificate_trusted == 0`),
		alert("FirewallUnsettled", critical, "15m", "The firewall of {{ $labels.node }} is not as it was confirmed: skep-firewall status says why.",
			`skep_firewall_settled == 0`),
		alert("MeasureFailed", warning, "1h", "{{ $labels.node }} cannot see when {{ $labels.what }} expires: {{ $labels.name }}.",
			`skep_measure_failed == 1`),
		alert("MeasuresMissing", warning, "30m", "{{ $labels.node }} has not measured for hours what expires and whether its firewall is settled: systemctl status skep-certificates.",
			"time() - skep_measured_seconds > 7200\n"+
				"or node_textfile_scrape_error == 1\n"+
				`or (up{job="node-exporter"} == 1 unless on (instance) skep_measured_seconds)`),
	}}
}

// webSelector picks the certificates that count as the cluster's own. Those that were handed over may have any name.
func webSelector(c *schema.Cluster) string {
	if c.Services.Traefik.Certificate.ACME == nil {
		return ""
	}
	return fmt.Sprintf(`{sans=~%q}`, `(.+,)?`+regexp.QuoteMeta(c.Domain)+`(,.+)?`)
}
