package lab

import (
	"strings"
	"testing"
)

// TestPast runs the runbook on machines that were there before: what they have set themselves is kept or named, and what
// the cluster cannot live with is refused before anything is changed.
func TestPast(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: machines with a past take some minutes; go test -run TestPast without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try machines with a past")
	}
	l := newLab(t)
	l.compile(t)
	l.build(t)
	l.part(t, "refusals", refusedPast)
	l.part(t, "own settings", ownPast)
}

// refusedPast tries each refusal with a dry run and a run; nothing of a node changes meanwhile.
func refusedPast(t *testing.T, l *lab) {
	for _, past := range []struct{ node, step, made, gone, want string }{
		{"w2", "engine", `mkdir -p /etc/docker && echo '{"data-root": "/srv/docker"}' >/etc/docker/daemon.json`, "rm /etc/docker/daemon.json",
			"/etc/docker/daemon.json sets data-root to /srv/docker"},
		{"w1", "engine", `mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --data-root /data\n' >/etc/systemd/system/docker.service.d/mine.conf && systemctl daemon-reload`,
			"rm /etc/systemd/system/docker.service.d/mine.conf && systemctl daemon-reload", "/etc/systemd/system/docker.service.d/mine.conf sets data-root to /data"},
		{"m1", "nfs-server", "echo '/srv *(rw)' >>/etc/exports", "sed -i '/^.srv /d' /etc/exports", "/etc/exports exports /srv, and /srv/nfs is to be read-only"},
		{"w1", "preflight", "nft 'table inet site { chain input { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; tcp dport 22 accept; }; }'",
			"nft delete table inet site", "table inet site, chain input, drops what it does not accept, and does not accept "},
		{"w2", "engine", "echo 'net.ipv4.ip_forward = 0' >/etc/sysctl.d/99-site.conf", "rm /etc/sysctl.d/99-site.conf", "/etc/sysctl.d/99-site.conf sets net.ipv4.ip_forward to 0"},
	} {
		l.on(t, past.node, past.made)
		before := l.bare(t, past.node)
		o := l.runbook(t, "run", "--dry-run", "--host", past.node)
		o.want(t, 1, past.want)
		l.runbook(t, "run", "--yes", "--only", past.step, "--host", past.node).want(t, 1, past.want)
		if after := l.bare(t, past.node); after != before {
			t.Errorf("%s: a refused run changed what is there", past.node)
		}
		l.on(t, past.node, past.gone)
	}
}

// ownPast builds the nodes up to the engine, which then runs with its own keys and those of the spec; undo brings back what was there.
func ownPast(t *testing.T, l *lab) {
	const own = `{"registry-mirrors": ["https://mirror.example.org"], "log-driver": "json-file", "labels": ["site=paris"]}`
	l.on(t, "w2", "mkdir -p /etc/docker && echo '"+own+"' >/etc/docker/daemon.json && systemctl restart docker")
	l.on(t, "m1", "echo '/opt *(ro)' >>/etc/exports")
	l.runbook(t, "run", "--dry-run").want(t, 0, `would change log-driver from "json-file" to "local"`, "keeps what is this node's own: labels registry-mirrors", "note: this node exports /opt too")
	o := l.run(t, "--to", "engine")
	if at := strings.LastIndex(o.text, "m1             DONE"); at < strings.LastIndex(o.text, "w2             DONE") {
		t.Errorf("the manager is not the last:\n%s", o.text)
	}
	got := l.on(t, "w2", `docker info --format '{{.LoggingDriver}} {{.Labels}} {{.RegistryConfig.Mirrors}}'`)
	if got != "local [site=paris] [https://mirror.example.org/]" {
		t.Errorf("w2 runs with %s", got)
	}
	if got = l.on(t, "w1", "apt-mark showhold"); got != "docker.io" {
		t.Errorf("held on w1: %q", got)
	}
	if o = l.run(t, "--to", "engine"); strings.Contains(o.text, " DONE ") {
		t.Errorf("the second run did something:\n%s", o.text)
	}
	l.runbook(t, "undo", "--yes").want(t, 0)
	if got = l.on(t, "w2", "cat /etc/docker/daemon.json; apt-mark showhold"); got != own {
		t.Errorf("after undo: %s", got)
	}
}
