package lab

import (
	"strings"
	"testing"
)

// lockOut loads rules whose management zone misses the operator. They come back by themselves, on the one node that
// was tried first: a worker.
func lockOut(t *testing.T, l *lab) {
	const management = `management: ["10.78.1.0/24"]`
	rules := map[string]string{}
	for _, node := range l.nodes(t) {
		rules[node] = l.on(t, node, ruleset+"; sha256sum /etc/skep/firewall.nft")
	}
	good := l.spec
	l.build(t, edit{management, `management: ["10.78.9.0/24"]`}, edit{"\taccess: {", "\tfirewall: rollback: 30\n\taccess: {"})
	o := l.runbook(t, "run", "--yes", "--only", "firewall")
	o.want(t, 1, "no new connection to w1 came through the rules on trial", "come back within 30s",
		"w1 answers again under its previous rules", "access.management", "stopped at step firewall (", ") on w1.")
	for node, want := range rules {
		if got := l.on(t, node, ruleset+"; sha256sum /etc/skep/firewall.nft"); got != want {
			t.Errorf("%s has other rules:\n%s", node, got)
		}
	}
	if got := l.on(t, "w1", "skep-firewall status || true"); !strings.Contains(got, "trial: returned") {
		t.Errorf("w1: %s", got)
	}
	l.runbook(t, "status", "--only", "firewall").want(t, 1, "FAILED")
	l.spec = good
	l.build(t)
	l.run(t)
	l.sameState(t, l.first)
}
