package tls

import (
	"net/netip"
	"strings"
)

// alternatives returns names as openssl's subjectAltName wants them: DNS:name or IP:address.
func alternatives(names []string) []string {
	var out []string
	for _, n := range names {
		if _, err := netip.ParseAddr(n); err == nil {
			out = append(out, "IP:"+n)
		} else {
			out = append(out, "DNS:"+n)
		}
	}
	return out
}

func list(names []string) string { return strings.Join(alternatives(names), ",") }

// unique returns names without repetition, in order. Addresses are compared as addresses: 2001:db8::1 has many forms.
func unique(names []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, n := range names {
		if a, err := netip.ParseAddr(n); err == nil {
			n = a.String()
		}
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
