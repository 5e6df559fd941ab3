package runbook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// contains wants the text to hold each part.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("it lacks %q:\n%s", part, text)
		}
	}
}

// A host that does not answer is named once, the others go on, and the run says what is open instead of "done".
func TestLongDeadWorker(t *testing.T) {
	s := newSandbox(t, target(t))
	s.write("down/10.0.0.12", "")
	r := s.want(1, "run", "--yes")
	contains(t, r.stdout, "w1             SILENT        ssh: connect to host 10.0.0.12 port 22: Connection timed out", "95 verify", "m1             DONE")
	if strings.Count(r.stdout, "timed out") != 1 || strings.Contains(r.stdout, "done.") {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	contains(t, r.stderr, "open: no answer from w1; steps left out there: preflight packages firewall engine workers", "runbook.sh run --yes")
	r = s.want(1, "run", "--dry-run")
	if strings.Count(r.stdout, "timed out") != 1 {
		t.Errorf("dry run:\n%s", r.stdout)
	}
	r = s.want(1, "verify")
	contains(t, r.stderr, "open: no answer from w1")
	contains(t, s.want(0, "run", "--yes", "--except", "w1").stdout, "done, without w1.")

	s.remove("down/10.0.0.12")
	before := len(s.calls())
	contains(t, s.want(0, "run", "--yes").stdout, "done.")
	for _, line := range s.changes(before) {
		if !strings.HasPrefix(line, "10.0.0.12 ") && !strings.Contains(line, "node update") && !strings.Contains(line, "exportfs") {
			t.Errorf("the host that came back had this done elsewhere: %s", line)
		}
	}
}

// A step that is left without hosts says so, and a run in which nothing has a host is a mistake.
func TestSkipped(t *testing.T) {
	s := newSandbox(t, target(t))
	contains(t, s.want(0, "run", "--to", "preflight", "--host", "w1").stdout, "-              SKIPPED       none of its hosts is selected")
	contains(t, s.want(2, "run", "--only", "swarm", "--host", "w1").stderr, "nothing to do: no step that you selected has a host that you selected")
	s.want(2, "run", "--except", "nobody")
	s.write("down/10.0.0.11", "")
	contains(t, s.want(1, "run", "--only", "swarm").stdout, "-              SKIPPED       no answer from m1")
}

// three are the target's nodes, as managers all three.
func three(t testing.TB) *schema.Cluster {
	t.Helper()
	text, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	worker := regexp.MustCompile(`(w\d: +\{address: "[0-9.]+")`)
	if len(worker.FindAll(text, -1)) != 2 {
		t.Fatal("the target has no two workers")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "cluster.cue"), worker.ReplaceAll(text, []byte(`$1, role: "manager"`)), 0o600))
	c, _, err := spec.Load(dir)
	must(t, err)
	share(c, "/var/lib/share", "any")
	return c
}

// With the first manager dead the next one stands for the swarm, with the values of every secret and the records of
// stacks; whatever it makes is copied to the first one when that is back.
func TestLongDeadFirstManager(t *testing.T) {
	s := settled(t, three(t))
	store := func(address string) []string {
		var names []string
		for _, dir := range []string{"etc/skep/secrets", "var/lib/skep/stacks"} {
			entries, err := os.ReadDir(filepath.Join(s.fake, "hosts", address, dir))
			must(t, err)
			for _, e := range entries {
				b, err := os.ReadFile(filepath.Join(s.fake, "hosts", address, dir, e.Name()))
				must(t, err)
				names = append(names, e.Name()+" "+string(b))
			}
		}
		return names
	}
	first := store("10.0.0.11")
	if len(first) < 3 || !slices.Equal(store("10.0.0.12"), first) || !slices.Equal(store("10.0.0.13"), first) {
		t.Fatal("the managers do not keep the same")
	}
	before := len(s.calls())
	s.want(0, "run")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}

	s.write("down/10.0.0.11", "")
	c := three(t)
	c.Services.Traefik.Dashboard.Revision = 2
	i := slices.IndexFunc(c.Secrets, func(r schema.Secret) bool { return r.Name == "traefik-dashboard" })
	c.Secrets[i].Revision = 2
	s.build(c)
	before = len(s.calls())
	r := s.want(1, "run", "--yes")
	contains(t, r.stderr, "open: no answer from m1;")
	calls := strings.Join(s.changes(before), "\n")
	contains(t, calls, "10.0.0.12 docker secret create", "10.0.0.12 docker stack deploy --prune --with-registry-auth --resolve-image never --compose-file /var/lib/skep/bundle/stacks/traefik")
	if strings.Contains(calls, "stacks/monitoring") {
		t.Errorf("the records were not there:\n%s", calls)
	}
	contains(t, s.run("status").stdout, "w1             DONE")

	s.remove("down/10.0.0.11")
	s.want(0, "run", "--yes")
	if got := store("10.0.0.11"); !slices.Equal(got, store("10.0.0.12")) || !strings.Contains(strings.Join(got, "\n"), "traefik-dashboard-r2 ") {
		t.Errorf("the first manager keeps %d files, the second %d", len(got), len(store("10.0.0.12")))
	}
	before = len(s.calls())
	s.want(0, "run")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the last run changed:\n%s", strings.Join(changes, "\n"))
	}
	checkNoValue(t, s, store("10.0.0.11"))
}

// checkNoValue wants no value of a secret in an argument list, a log or the state.
func checkNoValue(t *testing.T, s *sandbox, files []string) {
	t.Helper()
	places := s.calls() + s.state("log.jsonl") + s.state("state.jsonl")
	logs, err := filepath.Glob(s.bundle + ".state/output/*")
	must(t, err)
	for _, path := range logs {
		b, err := os.ReadFile(path)
		must(t, err)
		places += string(b)
	}
	for _, file := range files {
		name, value, _ := strings.Cut(file, " ")
		lines := strings.Split(strings.TrimSpace(value), "\n")
		if line := lines[len(lines)/2]; len(line) > 12 && strings.Contains(places, line) {
			t.Errorf("the value of %s is in an argument list, a log or the state", name)
		}
	}
}

// swarmNode writes a node into the recorded swarm.
func (s *sandbox) swarmNode(id, role, state string) {
	s.t.Helper()
	s.write("swarm/nodes/"+id, "address=10.9.9.9\nrole="+role+"\nlabels=skep.node=delta,\n")
	if state == "down" {
		must(s.t, os.MkdirAll(filepath.Join(s.fake, "swarm/dead"), 0o755))
		s.write("swarm/dead/"+id, "down")
	}
}

// Members that the spec does not have are named. A manager among them stops the run before its firewall; a dead one goes
// only when it is named.
func TestLongStrangers(t *testing.T) {
	s := settled(t, three(t))
	s.swarmNode("iddelta", "worker", "ready")
	contains(t, s.want(0, "run", "--yes").stdout, "m1             NOTE          delta is a worker of this swarm and is not in the spec")
	contains(t, s.want(0, "verify").stdout, "delta is a worker of this swarm and is not in the spec")

	s.swarmNode("iddelta", "manager", "ready")
	c := three(t)
	c.Firewall.Rollback = 99
	s.build(c)
	before := len(s.calls())
	r := s.want(1, "run", "--yes")
	contains(t, r.stdout, "delta is a manager of this swarm and is not in the spec: the firewall would cut it off")
	contains(t, r.stderr, "stopped at step nodes (50) on m1, before anything was changed.")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("it changed:\n%s", strings.Join(changes, "\n"))
	}
	contains(t, s.want(1, "run", "--yes", "--remove-dead", "delta").stdout, "--remove-dead delta: it is ready, and only a node that is down is removed")

	s.swarmNode("iddelta", "manager", "down")
	contains(t, s.want(0, "run", "--yes").stdout, "the swarm still has the node delta, which is down and is not in the spec")
	if strings.Contains(s.calls(), "docker node rm") {
		t.Error("a dead node was removed without its name")
	}
	contains(t, s.want(0, "run", "--dry-run", "--remove-dead", "delta").stdout, "would remove the dead node delta")
	s.want(0, "run", "--yes", "--remove-dead", "delta")
	contains(t, s.calls(), "docker node demote iddelta", "docker node rm --force iddelta")
	contains(t, s.want(0, "run", "--yes", "--remove-dead", "delta").stdout, "the swarm has no such node")

	s.write("swarm/no-leader", "")
	contains(t, s.want(1, "run", "--yes").stdout, "the managers have lost their majority", "--force-new-cluster")
}

// A dead manager of the spec is told, no engine of the others is restarted meanwhile, and undo leaves them their majority.
func TestLongMajority(t *testing.T) {
	s := settled(t, three(t))
	must(t, os.MkdirAll(filepath.Join(s.fake, "swarm/dead"), 0o755))
	s.write("swarm/dead/id10.0.0.13", "down")
	s.write("down/10.0.0.13", "")
	// What ran on it has no place elsewhere, and the run does not wait for it.
	s.write("short", "s3")
	r := s.want(1, "run")
	contains(t, r.stdout, "the manager w2 does not answer: 2 of 3 managers are left", "s3_one has 0/1 tasks while a node is down", "95 verify")
	s.remove("swarm/dead/id10.0.0.13")
	contains(t, s.want(1, "run", "--dry-run", "--only", "s3").stdout, "would wait for the stack s3: s3_one has 0/1")
	s.write("swarm/dead/id10.0.0.13", "down")
	s.remove("short")
	c := three(t)
	c.Engine.TLS = "/etc/docker/tls2"
	s.build(c)
	before := len(s.calls())
	r = s.want(1, "run", "--yes")
	contains(t, r.stdout, "2 of 3 managers answer: without w1 for a moment they would have no majority", "--except w1")
	if strings.Contains(s.calls()[before:], "restart docker") {
		t.Error("an engine was restarted")
	}
	contains(t, s.want(1, "undo", "--yes", "--only", "managers").stdout, "2 of 3 managers answer: without w1 they would have no majority")

	s.remove("down/10.0.0.13")
	s.remove("swarm/dead/id10.0.0.13")
	before = len(s.calls())
	s.want(0, "undo", "--yes", "--only", "managers")
	checkOrder(t, strings.Split(s.calls()[before:], "\n"), []string{"10.0.0.12 docker node demote", "10.0.0.12 docker swarm leave", "10.0.0.13 docker node demote", "10.0.0.13 docker swarm leave"})
}

// What is fixed when a swarm is made is asked of the living swarm before the firewall cuts the old port off.
func TestLongFixedWhenMade(t *testing.T) {
	s := settled(t, target(t))
	for name, c := range map[string]struct {
		edit func(*schema.Cluster)
		want string
	}{
		"data port": {func(c *schema.Cluster) { c.Engine.DataPathPort = 4790 }, "the swarm's data port is 4789, the spec wants 4790"},
		"address":   {func(c *schema.Cluster) { s.write("swarm/moved", "10.0.0.99") }, "w1 is in the swarm as 10.0.0.99, and the spec says 10.0.0.12"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := target(t)
			changed.Firewall.Rollback = 99
			c.edit(changed)
			s.build(changed)
			before := len(s.calls())
			r := s.want(1, "run", "--yes")
			contains(t, r.stdout, c.want)
			contains(t, r.stderr, "before anything was changed")
			if changes := s.changes(before); len(changes) > 0 {
				t.Errorf("it changed:\n%s", strings.Join(changes, "\n"))
			}
		})
	}
}

// Clocks are compared with each other, not only with the operator's.
func TestLongClocks(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "preflight")
	for address, skew := range map[string]string{"10.0.0.11": "-20s", "10.0.0.12": "+20s"} {
		s.write("hosts/"+address+"/skew", skew)
	}
	tool(t, "faketime")
	const text = "the clocks of m1 and w1 differ by "
	contains(t, s.want(1, "run", "--yes").stdout, text)
	contains(t, s.want(1, "run", "--dry-run").stdout, text)
	s.remove("hosts/10.0.0.12/skew")
	s.want(0, "run", "--only", "preflight")
}
