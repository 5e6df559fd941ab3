package vpn

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/vpn"
)

// A client that was revoked gets in no more, even where the running server read its old list in the same second; the
// restart that the runbook's step makes ends the session it has, and nobody else's for long.
func TestRevoke(t *testing.T) {
	need(t)
	for _, bundle := range bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			in := install(t, bundle)
			server := in.serve(t)
			listeners(t, "server", "0.0.0.0:80")
			profile := filepath.Join(t.TempDir(), "bob.conf") // revoking removes the original
			place(t, in.issue(t, "bob"), profile, 0o600)
			alice := in.issue(t, "alice")
			stays(t, "client", profile)
			if !in.through(t, "client") {
				t.Fatal("bob does not get through")
			}

			in.script(t, vpn.Client, in.pki, "revoke", "bob")
			in.sameSecond(t)
			second := start(t, "other", nil, "openvpn", "--suppress-timestamps", "--config", profile)
			server.await(t, "certificate revoked")
			second.end()

			other := stays(t, "other", alice)
			other.forget()
			server.end()
			server = in.run(t)
			server.await(t, "certificate revoked")
			if in.through(t, "client") {
				t.Error("bob's session goes on")
			}
			other.await(t, "Initialization Sequence Completed")
			if !in.through(t, "other") {
				t.Error("alice is not back")
			}
		})
	}
}

// through reports whether a host reaches the server through the tunnel: without one, packets take the link.
func (in *installation) through(t *testing.T, ns string) bool {
	t.Helper()
	subnet := in.cluster.VPNAccess().Subnet
	who, err := ask(t, ns, subnet.Addr().Next().String()+":80")
	if err != nil {
		return false
	}
	from, err := netip.ParseAddr(who)
	if err != nil {
		t.Fatal(err)
	}
	return subnet.Contains(from)
}

// stays connects a client that comes back when it is cut off.
func stays(t *testing.T, ns, profile string) *process {
	t.Helper()
	p := start(t, ns, nil, "openvpn", "--suppress-timestamps", "--config", profile)
	p.await(t, "Initialization Sequence Completed")
	return p
}

// sameSecond delivers the new revocation list as if it had been signed and written in the second of the old one.
func (in *installation) sameSecond(t *testing.T) {
	t.Helper()
	installed := filepath.Join(vpn.Directory, vpn.CRL)
	old, err := os.Stat(installed)
	if err != nil {
		t.Fatal(err)
	}
	sh(t, `export SKEP_PKI="$1"
printf '[client]\ndatabase = $ENV::SKEP_PKI/index.txt\ndefault_md = sha256\n' >"$1/again.cnf"
second=$(openssl crl -noout -lastupdate -in "$2")
openssl ca -gencrl -config "$1/again.cnf" -name client -cert "$1/client-ca.pem" -keyfile "$1/client-ca-key.pem" -crldays 9 \
	-crl_lastupdate "$(date -u -d "${second#*=}" +%Y%m%d%H%M%SZ)" -out "$1/server/crl.pem" 2>&1
cat "$1/root-crl.pem" >>"$1/server/crl.pem"`, in.pki, installed)
	in.deliver(t)
	if err := os.Chtimes(installed, time.Time{}, old.ModTime()); err != nil {
		t.Fatal(err)
	}
}
