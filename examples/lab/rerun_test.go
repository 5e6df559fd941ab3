package lab

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secondRun wants a run over a finished cluster to change nothing at all.
func secondRun(t *testing.T, l *lab) {
	before := l.traces(t)
	o := l.run(t)
	if done := l.done(t); len(done) > 0 || strings.Contains(o.text, " DONE ") {
		t.Errorf("the second run did %v\n%s", done, o.text)
	}
	if after := l.traces(t); after != before {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "before"), before)
		write(t, filepath.Join(dir, "after"), after)
		out, _ := exec.Command("diff", "-u", filepath.Join(dir, "before"), filepath.Join(dir, "after")).CombinedOutput()
		t.Errorf("the second run left traces:\n%s", out)
	}
	l.runbook(t, "verify").want(t, 0)
}

// traces is what a change would leave on: versions of the swarm's objects, tasks, start times of units, times of files.
func (l *lab) traces(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(l.on(t, "m1", `
		for kind in service config secret; do
			for id in $(docker $kind ls -q | sort); do docker $kind inspect $id --format '{{.ID}} {{.Version.Index}} {{.UpdatedAt}}'; done
		done
		for id in $(docker network ls -q --filter scope=swarm | sort); do docker network inspect $id --format '{{.Id}} {{.Created}}'; done
		for id in $(docker node ls -q | sort); do docker node inspect $id --format '{{.ID}} {{.CreatedAt}} {{.Spec}}'; done
		docker service ps --no-trunc --format '{{.ID}} {{.Name}} {{.DesiredState}}' $(docker service ls -q) | sort`))
	for _, node := range l.nodes(t) {
		b.WriteString("\n" + node + "\n" + l.on(t, node, `
			for unit in docker skep-firewall skep-vpn nfs-server ssh; do systemctl show "$unit" -p Id -p ActiveEnterTimestamp -p MainPID; done
			find /etc /usr/local/sbin /var/lib/skep /srv -not -path /var/lib/skep/lock -not -path '/srv/nfs/.*' -printf '%p %T@ %C@ %m %u\n' | sort`))
	}
	return b.String()
}
