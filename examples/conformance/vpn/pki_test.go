package vpn

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/vpn"
)

// refused runs a script of the bundle that has to end with a code, and returns what it says.
func (in *installation) refused(t *testing.T, code int, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(in.bundle, name), args...)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s %q: exit %d, want %d: %s", name, args, got, code, out)
	}
	return string(out)
}

// authorities makes them in a directory, with every bundle's own scripts.
func authorities(t *testing.T, bundle string) *installation {
	t.Helper()
	judge.Tool(t, "openssl", "openssl")
	in := &installation{bundle: bundle, cluster: judge.Spec(t, bundle), pki: filepath.Join(t.TempDir(), "it's a $dir")}
	in.script(t, vpn.PKI, in.pki)
	return in
}

// The authorities are made once; each signs what it is for and nothing else; nobody else reads a key.
func TestAuthorities(t *testing.T) {
	for _, bundle := range bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			in := authorities(t, bundle)
			before := snapshot(t, in.pki)
			if out := in.script(t, vpn.PKI, in.pki); out != "" || snapshot(t, in.pki) != before {
				t.Errorf("the second run changes something: %s", out)
			}
			if out := in.script(t, vpn.PKI, "--check", in.pki); strings.Count(out, "good") != 2 {
				t.Errorf("--check says %s", out)
			}
			verify := `openssl verify -x509_strict -no-CApath -CAfile "$1/root.pem" -untrusted "$1/$2" -purpose "$3" "$1/$4" >/dev/null 2>&1 && echo yes || echo no`
			in.issue(t, "alice")
			for _, test := range [][4]string{
				{"server-ca.pem", "sslserver", "server/cert.pem", "yes"},
				{"server-ca.pem", "sslclient", "server/cert.pem", "no"},
				{"client-ca.pem", "sslclient", "clients/alice/cert.pem", "yes"},
				{"client-ca.pem", "sslserver", "clients/alice/cert.pem", "no"},
			} {
				if got := strings.TrimSpace(sh(t, verify, in.pki, test[0], test[1], test[2])); got != test[3] {
					t.Errorf("%s as %s: %s", test[2], test[1], got)
				}
			}
			judge.Private(t, in.pki)
			// The client's authority signs a certificate that calls itself a server: it is none.
			sh(t, `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/x.key" -subj /CN="$2-server" -out "$1/x.csr" 2>/dev/null
printf 'extendedKeyUsage=serverAuth\n' >"$1/x.ext"
openssl x509 -req -in "$1/x.csr" -CA "$1/client-ca.pem" -CAkey "$1/client-ca-key.pem" -set_serial 1 -extfile "$1/x.ext" -out "$1/x.pem" 2>/dev/null`, in.pki, in.cluster.VPNAccess().Prefix)
			if got := strings.TrimSpace(sh(t, verify, in.pki, "client-ca.pem", "sslserver", "x.pem")); got != "no" {
				t.Error("the client's authority makes servers")
			}
		})
	}
}

func snapshot(t *testing.T, dir string) string {
	t.Helper()
	return sh(t, `find "$1" -type f -exec sha256sum {} + | sort`, dir)
}

// Mistakes with clients and directories are refused, and change nothing.
func TestRefusals(t *testing.T) {
	in := authorities(t, bundles(t)[0])
	prefix := in.cluster.VPNAccess().Prefix
	in.issue(t, "alice")
	weak := filepath.Join(t.TempDir(), "weak.csr")
	sh(t, `openssl req -new -newkey rsa:1024 -nodes -keyout "$1.key" -out "$1" -subj "/CN=ED25519 Public-Key: (4096 bit)" 2>/dev/null`, weak)
	before := snapshot(t, in.pki)
	for _, test := range []struct {
		code int
		name string
		args []string
		says string
	}{
		{3, vpn.Client, []string{in.pki, "issue", "alice"}, "has a certificate"},
		{3, vpn.Client, []string{in.pki, "issue", prefix + "-server"}, "begins like the server's name"},
		{3, vpn.Client, []string{in.pki, "issue", strings.ToUpper(prefix)}, "begins like the server's name"},
		{2, vpn.Client, []string{in.pki, "issue", "../alice"}, "want a name"},
		{2, vpn.Client, []string{in.pki, "issue", "a/CN=b"}, "want a name"},
		{2, vpn.Client, []string{in.pki, "issue", strings.Repeat("a", 64)}, "want a name"},
		{2, vpn.Client, []string{in.pki, "issue"}, "want a name"},
		{4, vpn.Client, []string{in.pki, "issue", "bob", "--csr", "/nowhere"}, "no such file"},
		{3, vpn.Client, []string{in.pki, "issue", "bob", "--csr", filepath.Join(in.pki, "root.pem")}, "is not a request"},
		{3, vpn.Client, []string{in.pki, "issue", "bob", "--csr", weak}, "weak key"},
		{3, vpn.Client, []string{in.pki, "revoke", "bob"}, "no certificate"},
		{3, vpn.Client, []string{in.pki, "revoke", "--cert", filepath.Join(in.pki, "server/cert.pem")}, "no valid certificate"},
		{3, vpn.Client, []string{in.pki, "revoke", "--cert", filepath.Join(in.pki, "client-ca.pem")}, "no valid certificate"},
		{3, vpn.Client, []string{in.pki, "revoke", "--cert", weak}, "no valid certificate"},
		{4, vpn.Client, []string{in.pki, "revoke", "--cert", "/nowhere"}, "no such file"},
		{2, vpn.Client, []string{in.pki, "revoke", "--cert"}, "want a name"},
		{3, vpn.Client, []string{in.pki, "profile", "bob"}, "no client"},
		{3, vpn.Client, []string{in.pki, "renew", "bob"}, "no certificate that is valid"},
		{3, vpn.Client, []string{in.pki, "handed-over", "alice"}, "nothing to hand over"},
		{2, vpn.Client, []string{in.pki, "remove", "bob"}, "want issue"},
		{3, vpn.Client, []string{t.TempDir(), "list"}, "no authority"},
		{3, vpn.PKI, []string{filepath.Join(in.bundle, "vpn")}, "inside the bundle"},
		{3, vpn.PKI, []string{in.bundle + "/.."}, "not empty"},
		{2, vpn.PKI, []string{"--force", in.pki}, "no such flag"},
		{1, vpn.PKI, []string{"--check", t.TempDir()}, "is missing"},
		{3, vpn.Service, []string{t.TempDir(), "infrastructure-service-group/1"}, "is missing"},
		{2, vpn.Service, []string{in.pki, "a\"b"}, "want an id"},
	} {
		if out := in.refused(t, test.code, test.name, test.args...); !strings.Contains(out, test.says) {
			t.Errorf("%s %q says %q, want %q", test.name, test.args, out, test.says)
		}
	}
	if snapshot(t, in.pki) != before {
		t.Error("a refusal changed something")
	}
}

// A run that was cut off between revoking a certificate and signing the list is found, and made good by the next run.
func TestCutOff(t *testing.T) {
	in := authorities(t, bundles(t)[0])
	list := filepath.Join(in.pki, "server", vpn.CRL)
	old := filepath.Join(t.TempDir(), "old")
	place(t, list, old, 0o600)
	in.issue(t, "alice")
	in.script(t, vpn.Client, in.pki, "revoke", "alice")
	for _, test := range []struct {
		code int
		name string
		args []string
		says string
	}{
		{0, vpn.PKI, []string{in.pki}, "made server/crl.pem"},
		{3, vpn.Client, []string{in.pki, "revoke", "alice"}, "made server/crl.pem"},
	} {
		place(t, old, list, 0o600)
		if out := in.refused(t, 1, vpn.PKI, "--check", in.pki); !strings.Contains(out, "lacks a certificate") {
			t.Errorf("--check says %s", out)
		}
		if out := in.refused(t, test.code, test.name, test.args...); !strings.Contains(out, test.says) {
			t.Errorf("%s says %s", test.name, out)
		}
		in.script(t, vpn.PKI, "--check", in.pki)
	}
}

// What a vpn-api has signed with the clients' authority is revoked by its certificate.
func TestForeign(t *testing.T) {
	in := authorities(t, bundles(t)[0])
	foreign := filepath.Join(t.TempDir(), "foreign.pem")
	sh(t, `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$2.key" -subj "/CN=0d0e" -out "$2.csr" 2>/dev/null
printf 'extendedKeyUsage=clientAuth\n' >"$2.ext"
openssl x509 -req -in "$2.csr" -CA "$1/client-ca.pem" -CAkey "$1/client-ca-key.pem" -set_serial 0x77 -extfile "$2.ext" -out "$2" 2>/dev/null`, in.pki, foreign)
	in.script(t, vpn.Client, in.pki, "revoke", "--cert", foreign)
	if text := sh(t, `openssl crl -noout -text -in "$1/server/crl.pem"`, in.pki); !strings.Contains(text, "Serial Number: 77") {
		t.Errorf("the revocation list has another certificate:\n%s", text)
	}
	in.script(t, vpn.PKI, "--check", in.pki)
}

// Certificates are listed with their state; a name is free again once it is revoked; another name of the server is renewed.
func TestLife(t *testing.T) {
	in := authorities(t, bundles(t)[0])
	in.issue(t, "alice")
	in.script(t, vpn.Client, in.pki, "revoke", "alice")
	in.issue(t, "alice")
	in.issue(t, "al")
	list := in.script(t, vpn.Client, in.pki, "list")
	for _, row := range []string{"revoked  alice ", "valid    alice ", "valid    al "} {
		if strings.Count(list, row) != 1 {
			t.Errorf("the list has not one row %q:\n%s", row, list)
		}
	}
	if text := sh(t, `openssl crl -noout -text -in "$1/server/crl.pem"`, in.pki); strings.Count(text, "Serial Number:") != 1 {
		t.Errorf("the revocation list does not hold one certificate:\n%s", text)
	}
	// The root's key is needed no more.
	if err := os.Rename(filepath.Join(in.pki, "root-key.pem"), filepath.Join(t.TempDir(), "key")); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	renamed := replaced(t, filepath.Join(in.bundle, vpn.PKI), filepath.Join(other, "generate.sh"), "readonly prefix='"+in.cluster.VPNAccess().Prefix, "readonly prefix='other")
	if err := os.Chmod(renamed, 0o755); err != nil {
		t.Fatal(err)
	}
	if out := sh(t, `"$1" "$2" 2>&1; "$1" --renew "$2"; "$1" --check "$2"`, renamed, in.pki); !strings.Contains(out, "want other-server") || !strings.Contains(out, "renewed server/cert.pem") {
		t.Errorf("a server of another name is not renewed: %s", out)
	}
}

// The body for Nuvla's API has every field that its web interface and NuvlaEdge ask for.
func TestService(t *testing.T) {
	for _, bundle := range bundles(t) {
		in := authorities(t, bundle)
		a := in.cluster.VPNAccess()
		var got struct {
			Template struct {
				Href      string   `json:"href"`
				Parent    string   `json:"parent"`
				Scope     string   `json:"vpn-scope"`
				CA        string   `json:"vpn-ca-certificate"`
				Between   []string `json:"vpn-intermediate-ca"`
				Shared    string   `json:"vpn-shared-key"`
				Prefix    string   `json:"vpn-common-name-prefix"`
				Endpoints []struct {
					Protocol string `json:"protocol"`
					Port     uint16 `json:"port"`
					Endpoint string `json:"endpoint"`
				} `json:"vpn-endpoints"`
			} `json:"template"`
		}
		if err := json.Unmarshal([]byte(in.script(t, vpn.Service, in.pki, "infrastructure-service-group/1-2")), &got); err != nil {
			t.Fatal(err)
		}
		s := got.Template
		if len(s.Endpoints) != 1 || s.Endpoints[0].Endpoint != a.Endpoint || s.Endpoints[0].Port != a.Port || s.Endpoints[0].Protocol != a.Protocol ||
			s.Href != "infrastructure-service-template/vpn" || s.Parent != "infrastructure-service-group/1-2" || s.Scope != a.Scope || s.Prefix != a.Prefix {
			t.Errorf("%s: %+v", bundle, s)
		}
		for file, text := range map[string]string{"root.pem": s.CA, "server-ca.pem": strings.Join(s.Between, ""), "server/tls-crypt.key": s.Shared} {
			if b, err := os.ReadFile(filepath.Join(in.pki, file)); err != nil || strings.TrimSpace(string(b)) != text {
				t.Errorf("%s: %s is %q, %v", bundle, file, text, err)
			}
		}
	}
}
