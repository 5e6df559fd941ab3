package runbook_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// The VPN's server gets its files once, and again after a client was revoked; no key travels in an argument.
func TestLongVPNAccess(t *testing.T) {
	c := load(t, "vpn")
	alone(c)
	s := newSandbox(t, c)
	s.want(0, "run", "--yes")
	checkOrder(t, s.changes(0), []string{"stack deploy --prune", "198.51.100.41 systemctl enable --quiet skep-vpn.service", "198.51.100.41 systemctl restart skep-vpn.service"})

	node := filepath.Join(s.fake, "hosts/198.51.100.41")
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
	checkOrder(t, s.changes(before), []string{"198.51.100.41 systemctl restart skep-vpn.service"})

	s.want(0, "undo", "--yes", "--only", "vpn-access")
	for _, path := range []string{vpn.InstalledServer, vpn.InstalledUnit, filepath.Join(vpn.Directory, vpn.Key)} {
		if _, err := os.Stat(filepath.Join(node, path)); !os.IsNotExist(err) {
			t.Errorf("%s is left on the node: %v", path, err)
		}
	}
}

// alone takes the mesh away: the recorded nodes of this test are known by one address each.
func alone(c *schema.Cluster) {
	c.Services.VPN.Mesh = nil
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.Address, n.Underlay, n.Mesh = n.Public, netip.Addr{}, nil
	}
	for i := range c.Networks {
		c.Networks[i].MTU = c.Network.MTU
	}
}

// Each node makes a key, the public ones come back for the spec, and without them in the spec no node joins.
func TestLongMesh(t *testing.T) {
	c := load(t, "vpn")
	for i := range c.Nodes {
		c.Nodes[i].Mesh = nil
	}
	s := newSandbox(t, c)
	s.want(0, "run", "--yes", "--to", "mesh-collect")
	keys := s.state("mesh.cue")
	if strings.Count(keys, "mesh: publicKey: ") != 3 {
		t.Fatalf("mesh.cue:\n%s", keys)
	}
	r := s.want(1, "run", "--yes", "--only", "mesh")
	if !strings.Contains(r.stdout, "and the spec has none") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	s.collected(c)
	before := len(s.calls())
	s.want(0, "run", "--yes", "--to", "mesh")
	checkOrder(t, s.changes(before), []string{"systemctl enable --quiet skep-mesh.service"})
	if strings.Contains(s.calls(), "private of") {
		t.Error("a private key is in an argument list")
	}
	before = len(s.calls())
	s.want(0, "run", "--yes", "--only", "mesh-keys", "--only", "mesh-collect", "--only", "mesh")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}
	s.want(0, "undo", "--yes", "--only", "mesh")
	node := filepath.Join(s.fake, "hosts", c.Node("w1").Underlay.String())
	for path, want := range map[string]bool{vpn.InstalledMeshUnit: false, vpn.InstalledMesh: false, vpn.MeshAddress: false, vpn.PrivateKey: true} {
		if _, err := os.Stat(filepath.Join(node, path)); (err == nil) != want {
			t.Errorf("%s after undo: %v", path, err)
		}
	}
}

// collected puts what the step mesh-collect wrote into the cluster, and builds its bundle again.
func (s *sandbox) collected(c *schema.Cluster) {
	s.t.Helper()
	for line := range strings.Lines(s.state("mesh.cue")) {
		words := strings.Split(line, "\"")
		for i, n := range c.Nodes {
			if len(words) > 3 && n.Name == words[1] {
				c.Nodes[i].Mesh = &schema.MeshNode{PublicKey: words[3]}
			}
		}
	}
	s.build(c)
}

// A node that made its next key keeps the old one until the spec has the new one, also where its own file says nothing
// about it: it talks to the hub alone.
func TestLongMeshRotation(t *testing.T) {
	c := load(t, "vpn")
	c.Services.VPN.Mesh.Hub = "m1"
	for i := range c.Nodes {
		c.Nodes[i].Mesh = nil
	}
	s := newSandbox(t, c)
	s.want(0, "run", "--yes", "--to", "mesh-collect")
	s.collected(c)
	s.want(0, "run", "--yes", "--to", "mesh")

	node := filepath.Join(s.fake, "hosts", c.Node("w2").Underlay.String())
	next := filepath.Join(node, vpn.PrivateKey+".next")
	must(t, os.WriteFile(next, []byte("the next one\n"), 0o600)) // as skep-mesh rotate does
	before := len(s.calls())
	s.want(0, "run", "--yes", "--only", "mesh-collect", "--only", "mesh")
	if strings.Contains(s.calls()[before:], "systemctl reload") {
		t.Error("the next key is in use before the spec has it")
	}
	s.collected(c)
	s.want(0, "run", "--yes", "--only", "mesh")
	for _, node := range []string{"198.51.100.41", "10.40.0.22"} {
		if !strings.Contains(s.calls()[before:], node+" systemctl reload skep-mesh.service") {
			t.Errorf("%s did not take it up", node)
		}
	}
	if strings.Contains(s.calls()[before:], "10.40.0.21 systemctl reload") {
		t.Error("w1 was disturbed, and has nothing new")
	}
	running, err := os.ReadFile(filepath.Join(node, "mesh-key"))
	must(t, err)
	if _, gone := os.Stat(next); string(running) != "the next one\n" || !os.IsNotExist(gone) {
		t.Errorf("the tunnel has the key %q; is the next one still there: %v", running, gone)
	}
}

// A node that is in a swarm by another address is left alone: the firewall would cut it off.
func TestLongMeshElsewhere(t *testing.T) {
	c := load(t, "vpn")
	s := newSandbox(t, c)
	s.want(0, "run", "--yes", "--to", "mesh-collect")
	s.collected(c)
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts", c.Node("w2").Underlay.String(), "member"), []byte("id10.40.0.22"), 0o600))
	must(t, os.MkdirAll(filepath.Join(s.fake, "swarm/nodes"), 0o755))
	must(t, os.WriteFile(filepath.Join(s.fake, "swarm/nodes/id10.40.0.22"), []byte("address=10.40.0.22\nrole=worker\nlabels=\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts", c.Node("w2").Underlay.String(), "units/docker.service"), nil, 0o600))
	before := len(s.calls())
	r := s.want(1, "run", "--yes")
	if !strings.Contains(r.stdout, "w2 is in a swarm as 10.40.0.22") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	for _, change := range s.changes(before) {
		if strings.Contains(change, "10.40.0.22 nft") || strings.Contains(change, "skep-firewall") {
			t.Errorf("the firewall came first: %s", change)
		}
	}
}

// Without ssh nobody else can be asked: the first manager's own key is all that is collected there.
func TestLongMeshLocal(t *testing.T) {
	c := load(t, "vpn")
	s := newSandbox(t, c)
	s.want(0, "run", "--only", "preflight", "--host", "m1")
	s.node = filepath.Join(s.fake, "hosts", c.Node("m1").Public.String())
	s.want(0, "run", "--yes", "--transport", "local", "--host", "m1", "--to", "mesh-collect")
	if keys := s.state("mesh.cue"); strings.Count(keys, "publicKey") != 1 || !strings.Contains(keys, `nodes: "m1"`) {
		t.Errorf("mesh.cue:\n%s", keys)
	}
}
