package check

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"strconv"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// versions compares versions of the engine; those of images are remarks.
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
}

// roots looks at the certificates of authorities that the spec holds.
func (k *checker) roots() {
	for _, field := range slices.Sorted(maps.Keys(k.Rows.Roots)) {
		k.root(field, []byte(k.Rows.Roots[field]))
	}
}

func (k *checker) root(field string, rest []byte) {
	for len(bytes.TrimSpace(rest)) > 0 {
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

// certificates looks at lifetimes, and at names of them and of nodes.
func (k *checker) certificates() {
	c := k.Certificates
	if c.Days > c.CADays {
		k.add(finding.FieldsDisagree, k.spec.FirstOf("certificates.days", "certificates.caDays"), "want at most certificates.caDays, which is %s: a certificate cannot outlive its CA", strconv.Itoa(c.CADays))
	}
	k.duplicates("certificates.clients", c.Clients)
	k.duplicates("certificates.names", c.Names)
	for _, d := range k.Rows.Duties {
		k.duplicates(d.Field, d.Nodes)
	}
}
