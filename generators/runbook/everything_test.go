package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The spec with every field set: several managers, sudo, iptables, a lock, another MTU, a secret that is handed over.
func TestLongEverything(t *testing.T) {
	c := load(t, "everything")
	share(c, "/var/lib/share", "any")
	c.Engine.Versions.From = "20.10"
	c.Nodes[0].Public = c.Nodes[0].Underlay // the recorded nodes are known by one address
	alone(c)
	s := newSandbox(t, c)

	r := s.want(1, "run", "--yes")
	if !strings.Contains(r.stdout, "secrets/smtp-password is missing") {
		t.Errorf("the missing secret is not named:\n%s", r.stdout)
	}
	secret := filepath.Join(s.bundle+".state", "secrets/smtp-password")
	must(t, os.WriteFile(secret, []byte("hunter2hunter2hunter2\n"), 0o600))

	s.want(0, "run", "--yes", "--to", "secrets")
	checkOrder(t, s.changes(0), []string{
		"10.30.0.11 docker swarm init", "10.30.0.12 curl", "10.30.0.13 curl", "10.30.0.21 curl",
		"docker network rm", "docker network create --driver overlay --ingress --opt com.docker.network.driver.mtu=1450 ingress",
		"--opt com.docker.network.driver.mtu=1450 --attachable --opt encrypted --subnet 10.99.0.0/16 edge", "smtp-password-r2",
	})
	got, err := os.ReadFile(filepath.Join(s.fake, "swarm/secrets/smtp-password-r2"))
	must(t, err)
	if string(got) != "hunter2hunter2hunter2" {
		t.Errorf("the handed secret became %q", got)
	}
	if strings.Contains(s.calls(), "hunter2") {
		t.Error("the handed secret is in an argument list")
	}
	if !strings.Contains(s.calls(), "sudo -n bash -s") {
		t.Error("a login that is not root did not use sudo")
	}
	before := len(s.calls())
	s.want(0, "run", "--to", "secrets")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}

	// A manager that left is taken back into the swarm that is there; the first one too.
	for _, address := range []string{"10.30.0.11", "10.30.0.13"} {
		must(t, os.Remove(filepath.Join(s.fake, "hosts", address, "member")))
		must(t, os.Remove(filepath.Join(s.fake, "swarm/nodes/id"+address)))
		before = len(s.calls())
		s.want(0, "run", "--yes", "--from", "swarm", "--to", "nodes")
		checkOrder(t, s.changes(before), []string{address + " curl", "node update"})
		if strings.Contains(s.calls()[before:], "swarm init") {
			t.Error("a second swarm was made")
		}
	}

	// Nobody may make a swarm while another manager, which may be in one, is silent.
	must(t, os.Remove(filepath.Join(s.fake, "hosts/10.30.0.11/member")))
	must(t, os.Remove(filepath.Join(s.fake, "hosts/10.30.0.13/member")))
	s.write("down/10.30.0.12", "")
	r = s.want(1, "run", "--yes", "--only", "swarm")
	if !strings.Contains(r.stdout, "m2 did not answer, so nobody knows whether a swarm is there already") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
}
