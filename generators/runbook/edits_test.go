package runbook_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// A firewall backend that is changed while the cluster runs: the dry run says so, the run leaves one backend's rules, and
// a second table that an older skep left is found, and gone after the next run.
func TestLongBackendChanged(t *testing.T) {
	c := target(t)
	s := newSandbox(t, c)
	node := filepath.Join(s.fake, "hosts/10.0.0.12")
	there := func() string {
		var out []string
		for _, name := range []string{"nft", "iptables", "etc/skep/firewall.nft", "etc/skep/firewall.v4.rules"} {
			if _, err := os.Stat(filepath.Join(node, name)); err == nil {
				out = append(out, name)
			}
		}
		return strings.Join(out, " ")
	}
	wanted := map[string]string{"nft": "nft etc/skep/firewall.nft", "iptables": "iptables etc/skep/firewall.v4.rules"}
	for _, backend := range []string{"nft", "iptables", "nft"} {
		c.Firewall.Backend = backend
		s.build(c)
		s.want(0, "run", "--yes", "--only", "firewall")
		if there() != wanted[backend] {
			t.Fatalf("after the change to %s w1 has: %s", backend, there())
		}
		if r := s.want(0, "run", "--only", "firewall"); strings.Contains(r.stdout, " DONE ") {
			t.Errorf("the second run did something:\n%s", r.stdout)
		}
	}
	must(t, os.WriteFile(filepath.Join(node, "iptables"), nil, 0o644))
	r := s.want(0, "run", "--dry-run", "--only", "firewall")
	if !strings.Contains(r.stdout, "also loaded: the rules of the iptables backend, from an older bundle\n") {
		t.Errorf("dry run:\n%s", r.stdout)
	}
	s.want(0, "run", "--yes", "--only", "firewall")
	if there() != wanted["nft"] {
		t.Errorf("w1 has: %s", there())
	}
	must(t, os.WriteFile(filepath.Join(node, "iptables"), nil, 0o644))
	s.want(0, "undo", "--yes", "--only", "firewall")
	if there() != "" {
		t.Errorf("after undo w1 has: %s", there())
	}
}

// A public network gets another name. Services of others that are still on it are named, Traefik stays on both until they
// have left, and what cannot be removed yet stops nothing and is told in names.
func TestLongRenamedNetwork(t *testing.T) {
	s := settled(t, target(t))
	c := target(t)
	old := c.Network.Public.Name
	rename(c, old, "kiez-edge")
	s.build(c)
	// A second network of its own, and nothing that tells Traefik where to look: it would look on either.
	must(t, os.MkdirAll(filepath.Join(s.fake, "swarm/others"), 0o755))
	s.write("swarm/others/app_db", "app_db|app|id-"+old+" |grafana-admin-r0 \n\n")
	s.write("swarm/secrets/grafana-admin-r0", "")
	s.write("swarm/networks/app_default", "overlay swarm false false\n\n\n")
	s.write("swarm/others/app_web", "app_web|app|id-"+old+" id-app_default ||\ntraefik.enable=true \n")
	edit := []string{"run", "--yes", "--only", "networks", "--only", "traefik", "--only", "s3", "--only", "cleanup"}
	r := s.want(1, edit...)
	if !strings.Contains(r.stdout, "docker service update --detach --label-add traefik.swarm.network="+old+" app_web") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	s.write("swarm/others/app_web", "app_web|app|id-"+old+" id-app_default ||\ntraefik.enable=true traefik.docker.network="+old+" \n")

	told := []string{
		"traefik_one stays on the network " + old + " too, until these have left it: app_db app_web",
		"the network " + old + " is in use by app_db app_web",
		"the secret grafana-admin-r0 is in use by app_db",
	}
	r = s.want(0, "run", "--dry-run")
	checkTold(t, r, told[:2])
	r = s.want(0, edit...)
	checkTold(t, r, told)
	for _, network := range []string{old, "kiez-edge"} {
		if !s.onNetwork("traefik", network) {
			t.Errorf("Traefik is not on %s", network)
		}
	}
	before := len(s.calls())
	checkTold(t, s.want(0, edit...), told)
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}

	must(t, os.RemoveAll(filepath.Join(s.fake, "swarm/others")))
	before = len(s.calls())
	r = s.want(0, edit...)
	if s.onNetwork("traefik", old) || strings.Contains(r.stdout, "note: ") {
		t.Errorf("Traefik is still on the old network, or something is told:\n%s", r.stdout)
	}
	checkOrder(t, s.changes(before), []string{"stacks/traefik/compose.yaml traefik", "network rm " + old, "secret rm grafana-admin-r0"})
}

// rename gives a shared network another name, where the services have it as well.
func rename(c *schema.Cluster, from, to string) {
	c.Network.Public.Name = to
	for i := range c.Networks {
		if c.Networks[i].Name == from {
			c.Networks[i].Name = to
		}
	}
}

// onNetwork reports whether the stack's recorded service is on the network.
func (s *sandbox) onNetwork(stack, network string) bool {
	b, err := os.ReadFile(filepath.Join(s.fake, "swarm/services", stack))
	must(s.t, err)
	return strings.Contains(string(b), "name: "+network+"\n")
}

// checkTold wants the texts in what a run said, and none of Docker's IDs.
func checkTold(t *testing.T, r result, texts []string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	if strings.Contains(r.stdout+r.stderr, "9f8e7d6c5b4a") || strings.Contains(r.stdout+r.stderr, "id-") {
		t.Errorf("an ID is told:\n%s\n%s", r.stdout, r.stderr)
	}
}

// targetWithout is target without a line of its spec.
func targetWithout(t *testing.T, line string) *schema.Cluster {
	t.Helper()
	text, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	if !strings.Contains(string(text), line) {
		t.Fatalf("examples/target has no line %q", line)
	}
	file := filepath.Join(t.TempDir(), "cluster.cue")
	must(t, os.WriteFile(file, []byte(strings.Replace(string(text), line, "", 1)), 0o644))
	c, _, err := spec.Load(file)
	must(t, err)
	share(c, "/var/lib/share", "any")
	return c
}

// An engine is restarted for what needs it, and for nothing else: a cluster without monitoring loses the port for metrics at
// the next restart, what the node's owner set is reloaded where dockerd can, and the dry run says which it will be.
func TestLongEngineEffects(t *testing.T) {
	c, bare := target(t), targetWithout(t, "\t\tmonitoring: {}\n")
	s := newSandbox(t, c)
	only := []string{"--only", "engine", "--host", "w1", "--host", "w2"}
	s.want(0, append([]string{"run", "--yes", "--to", "engine"}, only[2:]...)...)
	daemon := filepath.Join(s.fake, "hosts/10.0.0.12/etc/docker/daemon.json")
	running := filepath.Join(s.fake, "hosts/10.0.0.12/var/lib/skep/engine.running")
	own := func(text string) func() {
		return func() {
			b, err := os.ReadFile(daemon)
			must(t, err)
			base, _, _ := strings.Cut(string(b), ",\n  \"registry-mirrors\"")
			base, _, _ = strings.Cut(base, "\n}\n")
			must(t, os.WriteFile(daemon, []byte(base+text+"\n}\n"), 0o644))
		}
	}
	mirrors := own(",\n  \"registry-mirrors\": [\"https://mirror.example\"]")
	for _, test := range []struct {
		name, told, call string
		edit             func()
	}{
		{"monitoring leaves", "note: the engine keeps its port for metrics until its next restart; the firewall closes it", "", func() { c = bare }},
		{"a mirror of the node's own", "would reload the Docker engine for registry-mirrors", "systemctl reload docker.service", mirrors},
		{"no mirror", "would restart the Docker engine for registry-mirrors", "systemctl restart docker.service", own("")},
		{"another log", "would restart the Docker engine for log-opts", "systemctl restart docker.service", func() { c.Engine.Logs.Files++ }},
		{"what an older skep kept", "", "", func() {
			text, err := os.ReadFile(daemon)
			must(t, err)
			dropIn, err := os.ReadFile(filepath.Join(filepath.Dir(daemon), "../systemd/system/docker.service.d/skep.conf"))
			must(t, err)
			must(t, os.WriteFile(running, fmt.Appendf(nil, "%x\n", sha256.Sum256(append(text, dropIn...))), 0o644))
		}},
		{"monitoring comes", "would restart the Docker engine for metrics-addr", "systemctl restart docker.service", func() { c = target(t); c.Engine.Logs = bare.Engine.Logs }},
	} {
		test.edit()
		s.build(c)
		r := s.want(0, append([]string{"run", "--dry-run"}, only...)...)
		if !strings.Contains(r.stdout, test.told) || strings.Contains(r.stdout, "would re") != strings.Contains(test.told, "would re") {
			t.Errorf("%s: the dry run says:\n%s", test.name, r.stdout)
		}
		before := len(s.calls())
		s.want(0, append([]string{"run", "--yes"}, only...)...)
		calls := ""
		for line := range strings.Lines(s.calls()[before:]) {
			if at, ok := strings.CutPrefix(line, "10.0.0.12 systemctl re"); ok && strings.Contains(at, "docker.service") && !strings.Contains(at, "reset") && !strings.Contains(at, "set-failed") {
				calls += "systemctl re" + strings.TrimSpace(at)
			}
		}
		if calls != test.call {
			t.Errorf("%s: did %q, want %q", test.name, calls, test.call)
		}
		if r := s.want(0, append([]string{"run"}, only...)...); strings.Contains(r.stdout, " DONE ") || strings.Contains(r.stdout, "note:") {
			t.Errorf("%s: the second run says:\n%s", test.name, r.stdout)
		}
	}
}
