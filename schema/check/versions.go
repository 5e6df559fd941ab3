package check

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// versions compares versions of the engine and of the images that must fit it.
func (k *checker) versions() {
	from, below := schema.ParseVersion(k.Engine.Versions.From), schema.ParseVersion(k.Engine.Versions.Below)
	if !from.Less(below) {
		k.add(finding.FieldsDisagree, k.spec.FirstOf("engine.versions.below", "engine.versions.from"), "want a version after engine.versions.from, which is %s", k.Engine.Versions.From)
	}
	if from.Less(schema.Version{20, 10, 0}) {
		k.wrong("engine.versions.from", "want 20.10 or later: older engines lack what the stacks use")
	}
	if i := slices.IndexFunc(k.Rows.Engines, func(f schema.EngineFault) bool { return f.Name == "overlays-ipv6" }); i >= 0 && from.Less(schema.ParseVersion(k.Rows.Engines[i].Below)) {
		k.add(finding.FieldsDisagree, "engine.versions.from", "want %s or later: overlays of older engines carry nothing between nodes on IPv6", k.Rows.Engines[i].Below)
	}
	if m := k.Services.Monitoring; m != nil {
		// prometheus/prometheus#18200: from a file, earlier ones read no retention, or one a million times too long.
		if v, ok := schema.ImageVersion(m.Prometheus.Image, "prometheus"); ok && v.Less(schema.Version{3, 11, 0}) {
			k.wrong("services.monitoring.prometheus.image", "want prometheus 3.11 or later, which reads the retention from its configuration")
		}
	}
	if k.Services.Traefik == nil {
		return
	}
	v, ok := schema.ImageVersion(k.Services.Traefik.Image, "traefik")
	switch {
	case !ok:
	case v.Less(schema.Version{3, 2, 2}):
		k.wrong("services.traefik.image", "want traefik 3.2.2 or later, which knows swarm's labels")
	case v.Less(schema.Version{3, 6, 1}) && (schema.Version{29, 0, 0}).Less(below):
		// traefik/traefik#12253: it asks for an API version that these engines refuse, and serves no route at all.
		k.add(finding.FieldsDisagree, "services.traefik.image", "cannot talk to engine 29: want traefik 3.6.1 or later, or engine.versions.below 29.0")
	}
}

// authority looks at the certificate of the spec's own ACME authority.
func (k *checker) authority() {
	t := k.Services.Traefik
	if t == nil || t.Certificate.ACME == nil || t.Certificate.ACME.Root == "" {
		return
	}
	const field = "services.traefik.certificate.acme.root"
	// traefik/traefik#10816
	if v, ok := schema.ImageVersion(t.Image, "traefik"); ok && v.Less(schema.Version{3, 3, 0}) {
		k.wrong(field, "want traefik 3.3 or later, which reads it")
	}
	for rest := []byte(t.Certificate.ACME.Root); len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			k.wrong(field, "want certificates as PEM text and nothing else")
			return
		}
		if c, err := x509.ParseCertificate(block.Bytes); err != nil {
			k.wrong(field, "holds text that is not a certificate")
		} else if !c.IsCA {
			k.wrong(field, "holds the certificate of %s, which may not sign others: want that of the authority", strings.TrimSpace(c.Subject.CommonName+" "+strings.Join(c.DNSNames, " ")))
		}
	}
}

// certificates looks at lifetimes and names.
func (k *checker) certificates() {
	c := k.Certificates
	if c.Days > c.CADays {
		k.add(finding.FieldsDisagree, k.spec.FirstOf("certificates.days", "certificates.caDays"), "want at most certificates.caDays, which is %s: a certificate ends with its authority", strconv.Itoa(c.CADays))
	}
	k.duplicates("certificates.clients", c.Clients)
	k.duplicates("certificates.names", c.Names)
	if k.Services.Traefik != nil {
		k.duplicates("services.traefik.nodes", k.Services.Traefik.Nodes)
	}
	if s3 := k.Services.S3; s3 != nil && s3.Host != "" {
		if s3.Host == k.Domain {
			k.add(finding.FieldsDisagree, "services.s3.host", "is the cluster's own domain, which Traefik's other routes answer; want a name of its own such as s3.%s", k.Domain)
		}
	}
}

// endpoints looks at the ports within URLs and the like.
func (k *checker) endpoints() {
	port := func(path, s string) {
		if n, err := strconv.Atoi(s); err != nil || n < 1 || n > 65535 {
			k.wrong(path, "want a port from 1 to 65535")
		}
	}
	address := func(path, s string) {
		if u, err := url.Parse(s); err == nil && u.Port() != "" {
			port(path, u.Port())
		}
	}
	if t := k.Services.Traefik; t != nil && t.Certificate.ACME != nil {
		address("services.traefik.certificate.acme.server", t.Certificate.ACME.Server)
	}
	if k.Services.Monitoring == nil || k.Services.Monitoring.Alerts == nil {
		return
	}
	a := k.Services.Monitoring.Alerts
	if a.Webhook != nil {
		address("services.monitoring.alerts.webhook.url", a.Webhook.URL)
	}
	if a.Email != nil {
		port("services.monitoring.alerts.email.smarthost", a.Email.Smarthost[strings.LastIndex(a.Email.Smarthost, ":")+1:])
	}
}
