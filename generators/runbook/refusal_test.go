package runbook_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Rules that lock the operator out cost one host, and the runbook says that the old rules come back.
func TestLockout(t *testing.T) {
	s := newSandbox(t, target(t))
	must(t, os.Mkdir(filepath.Join(s.fake, "lockout"), 0o755))
	s.write("lockout/10.0.0.12", "")
	r := s.want(1, "run", "--yes", "--only", "firewall")
	if !strings.Contains(r.stdout, "w1             FAILED        no connection") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	for _, text := range []string{"the previous ones come back within 120s", "w1 answers again under its previous rules", "access.management"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	if strings.Contains(s.calls(), "10.0.0.11 nft -f") || strings.Contains(s.calls(), "10.0.0.13 nft -f") {
		t.Error("the rules went to a second host")
	}
	if !strings.Contains(r.stderr, "run --from firewall --only firewall --yes\n") {
		t.Errorf("a resumed run does more than this one:\n%s", r.stderr)
	}
	// The other class is tried on one host as well, before the rest of the first.
	s.write("lockout/10.0.0.11", "")
	s.want(1, "run", "--yes", "--only", "firewall")
	if strings.Contains(s.calls(), "10.0.0.13 nft -f") {
		t.Error("the rules went to a third host")
	}
	s.want(0, "run", "--yes", "--only", "firewall")
}

// A run that is told which bundle was planned takes no other one, and touches no host for it. What is planned is what skep plan says.
func TestPlanned(t *testing.T) {
	s := newSandbox(t, target(t))
	manifest, err := os.ReadFile(filepath.Join(s.bundle, "MANIFEST"))
	must(t, err)
	planned := fmt.Sprintf("%x", sha256.Sum256(manifest))
	other := strings.Repeat("0", 64)
	r := s.want(3, "run", "--yes", "--only", "preflight", "--planned", other)
	if want := "runbook: --planned " + other + ": this bundle is another one, " + planned + ": plan it again (skep plan)\n"; r.stderr != want || s.calls() != "" {
		t.Errorf("%s, want %s, and no call: %s", r.stderr, want, s.calls())
	}
	s.want(2, "run", "--planned", "x")
	s.want(2, "plan", "--planned", planned)
	s.want(0, "run", "--yes", "--only", "preflight", "--planned="+planned)
	s.write("down/10.0.0.11", "")
	if r := s.want(1, "run", "--yes", "--only", "preflight", "--planned", planned); !strings.Contains(r.stderr, " --planned "+planned) {
		t.Errorf("a resumed run takes any bundle:\n%s", r.stderr)
	}
}

// Rules that let the operator in and shut the other nodes out are taken back at once. A dead neighbour proves nothing.
func TestLongNeighbours(t *testing.T) {
	s := newSandbox(t, target(t))
	s.write("cut", "")
	r := s.want(1, "run", "--yes", "--only", "firewall")
	for _, text := range []string{"w1             FAILED        confirm refused", "m1 reached port 7946 9100 9323 of w1 before the trial", "w2 reached port 7946 9100 9323 of w1"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(s.fake, "hosts/10.0.0.12/nft")); err == nil || strings.Contains(s.calls(), "10.0.0.11 nft -f") {
		t.Error("the rules were not taken back, or went to a second host")
	}
	s.remove("cut")
	s.write("down/10.0.0.13", "")
	s.want(0, "run", "--yes", "--only", "firewall", "--host", "w1", "--host", "m1")
}

// What cannot be changed is refused with what is, what is wanted and the way out; a stack that fails says why.
func TestLongRefusals(t *testing.T) {
	s := settled(t, target(t))
	c := target(t)
	c.Services.Traefik.Log = "WARN"
	s.build(c)

	network := filepath.Join(s.fake, "swarm/networks/traefik-public")
	have, err := os.ReadFile(network)
	must(t, err)
	must(t, os.WriteFile(network, []byte("overlay swarm true false\n\n\n"), 0o644))
	r := s.want(1, "run", "--only", "networks")
	for _, text := range []string{"it is:   overlay swarm true false false 1500", "want:    overlay swarm false false false 1500", "way out: "} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	if r = s.want(1, "run", "--dry-run", "--only", "networks"); !strings.Contains(r.stdout, "FAILED") {
		t.Errorf("the dry run does not see it:\n%s", r.stdout)
	}
	must(t, os.WriteFile(network, have, 0o644))

	s.write("broken", "rollback_completed\n")
	r = s.want(1, "run", "--only", "traefik")
	for _, text := range []string{"rollback_completed", "no such image"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	s.remove("broken")
	s.want(0, "run", "--only", "traefik")
}

// A bundle on a disk that cannot be written keeps its state elsewhere, and runs without ssh on the machine itself.
func TestLongLocal(t *testing.T) {
	s := newSandbox(t, target(t))
	elsewhere := filepath.Join(t.TempDir(), "state")
	node := filepath.Join(s.fake, "hosts/10.0.0.13")
	must(t, os.RemoveAll(node))
	// The recorded node is made by a first connection; then this machine plays it, in a namespace of its own.
	s.want(0, "run", "--only", "preflight", "--host", "w2", "--state", elsewhere)
	s.node = node
	before := len(s.calls())
	s.want(0, "run", "--yes", "--transport", "local", "--host", "w2", "--state", elsewhere, "--to", "firewall")
	calls := s.calls()[before:]
	if strings.Contains(calls, "ssh ") || !strings.Contains(calls, "10.0.0.13 nft -f") {
		t.Errorf("calls:\n%s", calls)
	}
	r := s.want(1, "run", "--yes", "--transport", "local", "--host", "w2", "--state", elsewhere)
	if !strings.Contains(r.stdout, "docker swarm join-token --quiet worker") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if _, err := os.Stat(s.bundle + ".state"); !os.IsNotExist(err) {
		t.Error("the state is beside the bundle")
	}
}

// Who runs it on the node itself over ssh proves with a second login that the rules let one in.
func TestLongLocalFirewall(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "w2")
	s.node = filepath.Join(s.fake, "hosts/10.0.0.13")
	s.env = []string{"SSH_CONNECTION=192.0.2.1 50000 10.0.0.13 22"}
	s.write("on-sleep", "export -n SSH_CONNECTION\nskep-firewall confirm\n")
	s.want(0, "run", "--yes", "--transport", "local", "--host", "w2", "--only", "firewall")
	if calls := s.calls(); !strings.Contains(calls, "10.0.0.13 sleep 1") {
		t.Errorf("it did not wait for the second login:\n%s", calls)
	}
}

// A directory that holds something else is left as it is.
func TestForeignState(t *testing.T) {
	s := newSandbox(t, target(t))
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644))
	r := s.want(3, "run", "--yes", "--state", dir)
	if !strings.Contains(r.stderr, "holds thesis.txt") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the mode changed: %v %v", info.Mode(), err)
	}
}

// What a node says reaches the terminal and other nodes as text, and nothing else.
func TestLongHostileNode(t *testing.T) {
	s := newSandbox(t, load(t, "production"))
	must(t, os.MkdirAll(s.bundle+".state/secrets", 0o700))
	for _, secret := range []string{"smtp-password", "watchdog-url"} {
		must(t, os.WriteFile(filepath.Join(s.bundle+".state/secrets", secret), []byte("x"), 0o600))
	}
	s.want(0, "run", "--yes", "--to", "firewall")
	mark := filepath.Join(s.fake, "ran")
	s.write("down/198.51.100.12", "\x1b]0;owned\a\nSKEP\ntouch "+mark+"\n'; touch "+mark+"; '$(touch "+mark+")\n")
	r := s.want(1, "run", "--yes", "--only", "swarm")
	if strings.ContainsAny(r.stdout+r.stderr, "\x1b\a") {
		t.Errorf("control characters reach the terminal: %q", r.stdout)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("what a node said was run on another")
	}
	if !strings.Contains(r.stdout, "m2 does not answer") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// A smaller MTU reaches the bridge through which tasks leave, before Docker makes its own; one that is in use is told
// about, and stops nobody.
func TestLongGatewayMTU(t *testing.T) {
	c := target(t)
	c.Network.MTU = 1400
	s := newSandbox(t, c)
	s.want(0, "run", "--yes", "--to", "workers", "--skip", "firewall")
	for address, join := range map[string]string{"10.0.0.11": "docker swarm init", "10.0.0.12": "curl --silent --max-time 60"} {
		made := strings.Index(s.calls(), address+" docker network create --driver bridge --opt com.docker.network.bridge.name=docker_gwbridge")
		joined := strings.Index(s.calls(), address+" "+join)
		if made < 0 || joined < made {
			t.Errorf("%s: docker_gwbridge was made at %d, the node joined at %d", address, made, joined)
		}
	}
	if r := s.want(0, "run", "--only", "workers"); strings.Contains(r.stdout, "note:") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts/10.0.0.12/gateway"), []byte("\n\n\n"), 0o644))
	if r := s.want(0, "run", "--only", "workers"); !strings.Contains(r.stdout, "note: docker_gwbridge has an MTU of 1500, network.mtu is 1400; to change it drain w1") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// A network of Docker whose bridge the rules do not know is told about.
func TestLongUnnamedBridge(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--yes", "--to", "engine", "--host", "w1", "--host", "operator")
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts/10.0.0.12/bridges"), []byte("0123456789abcdef one \n1123456789abcdef two lan7\n"), 0o644))
	r := s.want(0, "run", "--only", "firewall", "--host", "w1")
	if !strings.Contains(r.stdout, "note: the bridge lan7 of Docker's network two is not in firewall.bridges") || strings.Contains(r.stdout, "network one") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// A pattern that takes the node's own interface for a bridge of Docker is refused before anything is tried.
func TestOwnBridge(t *testing.T) {
	c := target(t)
	c.Firewall.Bridges = []string{"eth*"}
	s := newSandbox(t, c)
	r := s.want(1, "run", "--yes", "--only", "firewall", "--host", "w1")
	if !strings.Contains(r.stdout, "10.0.0.12 is the address of eth0, which the rules take for a bridge of Docker") || strings.Contains(s.calls(), " nft -f") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}

// A node whose packets to the others leave from another address than the spec's is refused before anything is changed; one
// in service is told.
func TestSourceAddress(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight", "--host", "w1")
	s.write("hosts/10.0.0.12/route", "10.0.0.11 via 198.51.100.1 dev eth0 src 198.51.100.12 uid 0\n")
	const want = "packets to the node at 10.0.0.11 leave from 198.51.100.12, and nodes.w1.address is 10.0.0.12"
	if r := s.want(1, "run", "--dry-run", "--only", "preflight", "--host", "w1"); !strings.Contains(r.stdout, want) {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	must(t, os.MkdirAll(filepath.Join(s.fake, "hosts/10.0.0.12/var/lib/skep"), 0o755))
	s.write("hosts/10.0.0.12/var/lib/skep/engine.running", "")
	if r := s.want(0, "run", "--only", "preflight", "--host", "w1"); !strings.Contains(r.stdout, "note: "+want) {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}
