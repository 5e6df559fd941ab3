package runbook_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators/vpn"
)

// The VPN's server gets its files once, and again after a client was revoked; no key travels in an argument.
func TestVPNAccess(t *testing.T) {
	c := load(t, "vpn")
	c.Nodes[0].Public = netip.Addr{} // the recorded nodes are known by one address
	s := newSandbox(t, c)
	s.want(0, "run", "--yes")
	checkOrder(t, s.changes(0), []string{"stack deploy --prune", "10.40.0.11 systemctl enable --quiet skep-vpn.service", "10.40.0.11 systemctl restart skep-vpn.service"})

	node := filepath.Join(s.fake, "hosts/10.40.0.11")
	for name, mode := range map[string]os.FileMode{vpn.Key: 0o600, vpn.TLSCrypt: 0o600, vpn.CRL: 0o644} {
		want, err := os.ReadFile(filepath.Join(s.bundle+".state/vpn/server", name))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(node, vpn.Directory, name))
		must(t, err)
		info, err := os.Stat(filepath.Join(node, vpn.Directory, name))
		must(t, err)
		if string(got) != string(want) || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v on the node, or is another", name, info.Mode())
		}
		if body := strings.Split(string(want), "\n")[1]; strings.Contains(s.calls(), body) {
			t.Errorf("%s is in an argument list", name)
		}
	}

	before := len(s.calls())
	s.want(0, "run", "--yes")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}

	for _, verb := range []string{"issue", "revoke"} {
		out, err := exec.Command(filepath.Join(s.bundle, vpn.Client), s.bundle+".state/vpn", verb, "alice").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", verb, err, out)
		}
	}
	before = len(s.calls())
	s.want(0, "run", "--only", "vpn-access")
	checkOrder(t, s.changes(before), []string{"10.40.0.11 systemctl restart skep-vpn.service"})

	s.want(0, "undo", "--yes", "--only", "vpn-access")
	for _, path := range []string{vpn.InstalledServer, vpn.InstalledUnit, filepath.Join(vpn.Directory, vpn.Key)} {
		if _, err := os.Stat(filepath.Join(node, path)); !os.IsNotExist(err) {
			t.Errorf("%s is left on the node: %v", path, err)
		}
	}
}
