package lab

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestDead kills the first of three managers. The next one takes its place: a run changes what it can, says what it could
// not, and undo is refused where it would cost the majority. Then the dead one comes back, or is replaced.
func TestDead(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a dead manager takes some minutes; go test -run TestDead without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try a dead manager")
	}
	l := newLab(t)
	for from, to := range map[string]string{
		`w1: {address: "10.77.0.12",`: `w1: {address: "10.77.0.12", role: "manager",`,
		`w2: {address: "10.77.0.13"`:  `w2: {address: "10.77.0.13", role: "manager"`,
		`nfs: {server: "m1",`:         `nfs: {server: "w2",`,
		monitoring:                    "",
	} {
		if !strings.Contains(l.spec, from) {
			t.Fatalf("the spec has no %q", from)
		}
		l.spec = strings.Replace(l.spec, from, to, 1)
	}
	_ = l.part(t, "deploy", deploy) &&
		l.part(t, "first manager dead", firstDead) &&
		l.part(t, "back", firstBack) &&
		l.part(t, "lost for good", lostForGood)
}

func firstDead(t *testing.T, l *lab) {
	l.do(t, "stop", "m1")
	l.build(t, edit{"certificate: selfSigned: {}", "certificate: selfSigned: {}\n\t\t\tdashboard: revision: 2"})
	o := l.runbook(t, "run", "--yes")
	o.want(t, 1, "m1             SILENT", "open: no answer from m1; steps left out there: preflight packages", "the manager m1 does not answer: 2 of 3 managers are left")
	if strings.Contains(o.text, "done.") || strings.Count(o.text, "SILENT") != 1 {
		t.Errorf("a run without the first manager:\n%s", o.text)
	}
	if got := l.on(t, "w1", "docker service inspect traefik_traefik --format '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{end}}'"); !strings.Contains(got, "traefik-dashboard-r2") {
		t.Errorf("Traefik has the secrets %s", got)
	}
	if a, b := l.on(t, "w1", "cat /etc/skep/secrets/traefik-dashboard-r2"), l.on(t, "w2", "cat /etc/skep/secrets/traefik-dashboard-r2"); a != b || a == "" {
		t.Error("the other managers do not keep the same value")
	}
	l.runbook(t, "verify").want(t, 1, "open: no answer from m1")
	// An engine that starts anew now would cost the majority, and so would a manager that leaves.
	spec := l.spec
	l.build(t, edit{beforeAccess, "\tengine: logs: size: \"20m\"\n" + beforeAccess})
	engines := func() string {
		const began = "systemctl show docker -p ActiveEnterTimestampMonotonic"
		return l.on(t, "w1", began) + l.on(t, "w2", began)
	}
	before := engines()
	// Which one comes first is a question of who leads: the leader is the last.
	l.runbook(t, "run", "--yes").want(t, 1, "2 of 3 managers answer: without w", " for a moment they would have no majority")
	if engines() != before {
		t.Error("an engine started anew")
	}
	l.spec = spec
	l.build(t)
	l.runbook(t, "undo", "--yes", "--only", "managers").want(t, 1, "2 of 3 managers answer: without w", " they would have no majority")
}

// firstBack: the first manager has the values that were made without it.
func firstBack(t *testing.T, l *lab) {
	l.do(t, "start", "m1")
	l.ready(t, "m1")
	l.run(t)
	l.whole(t)
	if a, b := l.on(t, "m1", "cat /etc/skep/secrets/traefik-dashboard-r2"), l.on(t, "w1", "cat /etc/skep/secrets/traefik-dashboard-r2"); a != b {
		t.Error("the first manager does not have the value that was made without it")
	}
	l.run(t)
	l.did(t)
	l.runbook(t, "verify").want(t, 0)
}

// lostForGood takes a manager out of the spec that will not come back. Its member goes when it is named, and not before.
func lostForGood(t *testing.T, l *lab) {
	l.do(t, "stop", "w1")
	l.build(t, edit{"\t\tw1: {address: \"10.77.0.12\", role: \"manager\", labels: disk: \"ssd\"}\n", ""})
	l.runbook(t, "run", "--yes", "--only", "nodes", "--remove-dead", "w2").want(t, 1, "only a node that is down is removed")
	l.down(t, "w1")
	l.run(t).want(t, 0, "the swarm still has the node w1, which is down and is not in the spec; to take it out: runbook.sh run --remove-dead w1")
	l.run(t, "--remove-dead", "w1")
	if got := l.on(t, "m1", "docker node ls --format '{{.Hostname}} {{.ManagerStatus}}' | sort"); strings.Contains(got, "w1") || strings.Count(got, "\n") != 1 {
		t.Errorf("the swarm has\n%s", got)
	}
	l.run(t)
	l.did(t)
}

// down waits until the swarm has noticed that a node is dead.
func (l *lab) down(t *testing.T, node string) {
	t.Helper()
	eventually(t, 2*time.Minute, func() error {
		if got := l.on(t, "m1", "docker node inspect "+node+" --format '{{.Status.State}}'"); got != "down" {
			return errors.New(node + " is " + got)
		}
		return nil
	})
}
