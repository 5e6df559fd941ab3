package lab

import (
	"strings"
	"testing"
)

// undo takes the cluster back, last step first, after saying of each step what that means.
func undo(t *testing.T, l *lab) {
	o := l.runbook(t, "undo", "--dry-run")
	o.want(t, 0, "the packages stay", "irreversible: the certificates stay")
	before := l.state(t)
	l.sameState(t, before)
	cmd := l.command(l.arguments("undo")...)
	l.finish(t, cmd).want(t, 3, "add --yes")
	l.sameState(t, before)

	o = l.runbook(t, "undo", "--yes")
	o.want(t, 0, "the packages stay")
	if strings.Index(o.text, "swarm:") > strings.Index(o.text, "preflight:") {
		t.Errorf("the last step does not come first:\n%s", o.text)
	}
	for _, node := range l.nodes(t) {
		got := l.on(t, node, `docker info --format '{{.Swarm.LocalNodeState}}'
			nft list table inet skep >/dev/null 2>&1 && echo filter
			docker ps -q
			ls /etc/docker/daemon.json /etc/systemd/system/docker.service.d/skep.conf /etc/sysctl.d/90-skep.conf /etc/skep/firewall.nft \
				/usr/local/sbin/skep-firewall /etc/exports.d/skep.exports 2>/dev/null
			systemctl is-active docker ssh
			systemctl list-unit-files --state=masked --no-legend | grep rpcbind || true`)
		if got != "inactive\nactive\nactive" {
			t.Errorf("%s after undo: %q", node, got)
		}
	}
	if got := l.on(t, "m1", "cat /srv/nfs/hive/bees.txt"); !strings.HasPrefix(got, "the bees") {
		t.Errorf("the share has %q", got)
	}
	if !*light {
		if got := l.on(t, "m1", "ls /etc/skep/secrets"); !strings.Contains(got, "s3-secret-key-r") {
			t.Errorf("the values of secrets: %q", got)
		}
	}
	// What is taken back can be taken back again.
	l.runbook(t, "undo", "--yes").want(t, 0)
}
