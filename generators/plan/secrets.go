package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/tls"
)

// HandOver is a secret that the operator puts into a file of the state directory before the run.
type HandOver struct {
	Secret string `json:"secret"` // "smtp-password-r2", as the swarm calls it
	File   string `json:"file"`   // "secrets/smtp-password" in the state directory
}

// handOvers are the secrets that the new bundle wants from the operator and the old one did not.
func handOvers(before, after *Bundle) []HandOver {
	var out []HandOver
	for _, row := range after.table.words("handed") {
		if object, name, _ := strings.Cut(row, " "); !slices.Contains(before.table.words("handed"), row) {
			out = append(out, HandOver{Secret: object, File: "secrets/" + name})
		}
	}
	return out
}

// String says what the operator has to have ready.
func (h HandOver) String() string {
	return fmt.Sprintf("%-8s the secret %s: put it into %s of the state directory before the run", "hand", h.Secret, h.File)
}

// CertificateChange is a certificate of the cluster's own authority that is "made", or "renewed" because its names are others.
type CertificateChange struct {
	Change string `json:"change"`
	Pair   string `json:"pair"` // "servers/m1", "clients/nuvla" or "web", as the state directory calls it
}

// certificates are what the script for certificates would make beyond what it made of the old bundle.
func certificates(before, after *Bundle) []CertificateChange {
	var out []CertificateChange
	old, now := pairs(before.certificates), pairs(after.certificates)
	for _, pair := range slices.Sorted(maps.Keys(now)) {
		switch names, known := old[pair]; {
		case !known:
			out = append(out, CertificateChange{"made", pair})
		case names != now[pair]:
			out = append(out, CertificateChange{"renewed", pair})
		}
	}
	return out
}

// serverPair is where the certificate of a manager's API is.
const serverPair = tls.Servers + "/"

// pairs are the certificates with keys that the script makes, with their names.
func pairs(t table) map[string]string {
	out := map[string]string{}
	for i, name := range t.words("servers") {
		if names := t.words("server_names"); i < len(names) {
			out[serverPair+name] = names[i]
		}
	}
	for _, name := range t.words("clients") {
		out[tls.Clients+"/"+name] = ""
	}
	if names := t.words("web_names"); len(names) > 0 {
		out[tls.Web] = strings.Join(names, ",")
	}
	return out
}

// String is such as "made     the certificate servers/m2".
func (c CertificateChange) String() string {
	text := fmt.Sprintf("%-8s the certificate %s", c.Change, c.Pair)
	if c.Change == "renewed" {
		text += ": its names are others"
	}
	return text
}
