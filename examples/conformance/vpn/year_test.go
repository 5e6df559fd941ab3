package vpn

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/vpn"
)

// A year passes: a routine run renews the server's certificate and leaves what clients have. A client's next profile is
// laid beside the one it has; both are good, until the operator says that the client has it.
func TestYear(t *testing.T) {
	judge.Tool(t, "faketime", "faketime")
	in := authorities(t, bundles(t)[0])
	in.issue(t, "alice")
	clients, server := filepath.Join(in.pki, "clients"), filepath.Join(in.pki, "server", vpn.Cert)
	before := snapshot(t, clients)
	old, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	day := strconv.Itoa(in.cluster.VPNAccess().Days - 20) // within the days that a run renews ahead
	later := func(name string, args ...string) string {
		t.Helper()
		return sh(t, `day=$1; shift; faketime -f "+${day}d" "$@" 2>&1`, append([]string{day, filepath.Join(in.bundle, name)}, args...)...)
	}
	later(vpn.PKI, in.pki)
	later(vpn.PKI, "--renew", in.pki)
	if now, err := os.ReadFile(server); err != nil || string(now) == string(old) {
		t.Errorf("the server's certificate is not renewed: %v", err)
	}
	if snapshot(t, clients) != before {
		t.Error("a routine run replaced what a client has")
	}

	alice := filepath.Join(clients, "alice")
	profile := func(at string) string {
		b, err := os.ReadFile(filepath.Join(alice, at, "client.conf"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := profile("")
	later(vpn.Client, in.pki, "renew", "alice")
	next := profile("next")
	if profile("") != first || next == first {
		t.Error("the profile in use is not what it was, or the next one is the same")
	}
	good := `faketime -f "+$4d" openssl verify -no-CApath -purpose sslclient -CAfile "$1/root.pem" -untrusted "$1/client-ca.pem" "$1/clients/alice/$2" >/dev/null && openssl x509 -noout -serial -in "$1/clients/alice/$2" >"$3"`
	for _, name := range []string{"cert.pem", "next/cert.pem"} {
		sh(t, good, in.pki, name, os.DevNull, day)
	}
	if list := later(vpn.Client, in.pki, "list"); strings.Count(list, "valid    alice ") != 2 {
		t.Errorf("want both certificates in the list:\n%s", list)
	}
	if out := sh(t, `faketime -f "+$3d" "$1" "$2" renew alice 2>&1 || true`, filepath.Join(in.bundle, vpn.Client), in.pki, day); !strings.Contains(out, "is there already") {
		t.Errorf("a second renewal says %s", out)
	}
	later(vpn.Client, in.pki, "handed-over", "alice")
	if _, err := os.Stat(filepath.Join(alice, "next")); profile("") != next || !os.IsNotExist(err) {
		t.Errorf("the next profile is not in its place: %v", err)
	}
	judge.Private(t, in.pki)
	// Whoever is shut out has neither.
	later(vpn.Client, in.pki, "revoke", "alice")
	if list := later(vpn.Client, in.pki, "list"); strings.Count(list, "revoked  alice ") != 2 {
		t.Errorf("want both revoked:\n%s", list)
	}
}
