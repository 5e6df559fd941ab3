package vpn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// installation is the VPN's server as the runbook installs it, in the namespace "server".
type installation struct {
	bundle  string
	cluster *schema.Cluster
	pki     string
}

// bundles are those with a VPN server.
func bundles(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, b := range judge.Bundles(t) {
		if judge.Spec(t, b).VPNAccess() != nil {
			out = append(out, b)
		}
	}
	if len(out) < 2 {
		t.Fatalf("bundles with a VPN server: %v", out)
	}
	return out
}

// install makes the authorities and puts the server's files in place.
func install(t *testing.T, bundle string) *installation {
	t.Helper()
	in := &installation{bundle: bundle, cluster: judge.Spec(t, bundle), pki: filepath.Join(t.TempDir(), "it's a dir")}
	in.script(t, vpn.PKI, in.pki)
	in.deliver(t)
	place(t, filepath.Join(bundle, vpn.Server), vpn.InstalledServer, 0o644)
	place(t, filepath.Join(bundle, vpn.Forward), vpn.InstalledForward, 0o755)
	// The unit's StateDirectory; an earlier test has left its clients' addresses.
	if err := os.RemoveAll("/var/lib/skep-vpn"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/var/lib/skep-vpn", 0o755); err != nil {
		t.Fatal(err)
	}
	return in
}

// deliver copies what the server gets from the authorities.
func (in *installation) deliver(t *testing.T) {
	t.Helper()
	for _, name := range []string{vpn.CA, vpn.Cert, vpn.Key, vpn.TLSCrypt, vpn.CRL} {
		mode := os.FileMode(0o600)
		if name == vpn.CRL {
			mode = 0o644
		}
		place(t, filepath.Join(in.pki, "server", name), filepath.Join(vpn.Directory, name), mode)
	}
}

// script runs one of the bundle's scripts and returns what it printed.
func (in *installation) script(t *testing.T, name string, args ...string) string {
	t.Helper()
	return sh(t, `"$@"`, append([]string{filepath.Join(in.bundle, name)}, args...)...)
}

// issue makes a client and returns its profile.
func (in *installation) issue(t *testing.T, name string, more ...string) string {
	t.Helper()
	in.script(t, vpn.Client, append([]string{in.pki, "issue", name}, more...)...)
	return filepath.Join(in.pki, "clients", name, "client.conf")
}

// serve makes the network of the cluster and starts the server.
func (in *installation) serve(t *testing.T) *process {
	t.Helper()
	a := in.cluster.VPNAccess()
	node := in.cluster.Node(a.Node)
	// What clients connect to must not lie in a route that they are pushed.
	public := "198.51.100.99"
	if node.Public.Is4() && node.Public != node.Underlay {
		public = node.Public.String()
	}
	addresses := []string{link(node), public}
	newHost(t, "server", addresses...)
	newHost(t, "client", "198.18.0.2")
	newHost(t, "other", "198.18.0.3")
	write(t, "/etc/hosts", []byte(public+" "+a.Endpoint+"\n"), 0o644)
	on(t, "server", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP") // as Docker leaves it
	on(t, "server", vpn.InstalledForward, "up")
	return in.run(t)
}

// link is a node's address on the link between the nodes.
func link(n schema.Node) string {
	if n.Underlay.IsValid() {
		return n.Underlay.String()
	}
	return n.Address.String()
}

func (in *installation) run(t *testing.T) *process {
	t.Helper()
	p := start(t, "server", nil, "openvpn", "--suppress-timestamps", "--config", vpn.InstalledServer)
	p.await(t, "Initialization Sequence Completed")
	return p
}

// connect starts a client and waits until it is connected, or says why not.
func connect(t *testing.T, profile string) (*process, bool) {
	t.Helper()
	p := start(t, "client", nil, "openvpn", "--suppress-timestamps", "--connect-retry-max", "1", "--hand-window", "8", "--config", profile)
	said := p.await(t, "Initialization Sequence Completed", "TLS Error", "VERIFY X509NAME ERROR", "VERIFY EKU ERROR", "TLS key negotiation failed", "Exiting")
	return p, said == "Initialization Sequence Completed"
}

// Clients of every kind connect with the profile that Nuvla's own programs would write, and are refused when they should be.
func TestConnect(t *testing.T) {
	need(t)
	for _, bundle := range bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			in := install(t, bundle)
			server := in.serve(t)
			a := in.cluster.VPNAccess()
			gateway := a.Subnet.Addr().Next().String()
			listeners(t, "server", "0.0.0.0:80")

			alice := in.issue(t, "alice")
			client, ok := connect(t, alice)
			if !ok {
				t.Fatal("alice does not get in")
			}
			server.await(t, "compress migrate' detected")
			if who, err := ask(t, "client", gateway+":80"); err != nil || who != a.Subnet.Addr().Next().Next().String() {
				t.Errorf("through the tunnel: %s, %v", who, err)
			}
			client.end()

			device := in.issue(t, "nuvlabox-0d0e7c5c", "--csr", request(t, in.pki))
			b, err := os.ReadFile(device)
			if err != nil || strings.Contains(string(b), "PRIVATE KEY") {
				t.Fatalf("the profile of a device holds a key: %v", err)
			}
			client, ok = connect(t, replaced(t, device, device+".whole", "# Client Key: it never left the device; add it there as key FILE", "key \""+filepath.Join(in.pki, "device.key")+"\""))
			if !ok {
				t.Error("a device with a key of its own does not get in")
			}
			client.end()

			if client, ok = connect(t, replaced(t, alice, alice+".other", `"`+a.Prefix+`"`, `"other"`)); ok {
				t.Error("a client accepts a server of another name")
			}
			client.end()

			server.end()

			// A client that plays the server: its certificate says what it is for.
			impostor := filepath.Join(in.pki, "clients/alice")
			place(t, filepath.Join(impostor, "cert.pem"), filepath.Join(vpn.Directory, vpn.Cert), 0o644)
			place(t, filepath.Join(impostor, "key.pem"), filepath.Join(vpn.Directory, vpn.Key), 0o600)
			in.run(t)
			if _, ok = connect(t, replaced(t, alice, alice+".fooled", `"`+a.Prefix+`"`, `"alice"`)); ok {
				t.Error("a client accepts another client as server")
			}
		})
	}
}

// request makes the key and the request of a NuvlaEdge: P-521, and a name that the issuer does not rely on.
func request(t *testing.T, dir string) string {
	t.Helper()
	sh(t, `openssl ecparam -name secp521r1 -genkey -noout -out "$1/device.key"
openssl req -new -key "$1/device.key" -subj "/CN=somebody else" -out "$1/device.csr"`, dir)
	return filepath.Join(dir, "device.csr")
}
