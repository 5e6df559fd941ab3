package lab

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// failures breaks the machines in ways that an operator meets. A host that does not answer is left out; what a step refuses
// stops the run before anything is changed, and status agrees. After the repair a run goes on.
func failures(t *testing.T, l *lab) {
	t.Run("wrong host key", func(t *testing.T) { wrongHostKey(t, l) })
	t.Run("node down", func(t *testing.T) { nodeDown(t, l) })
	t.Run("sshd stopped", func(t *testing.T) { sshdStopped(t, l) })
	t.Run("disk full", func(t *testing.T) { diskFull(t, l) })
	t.Run("engine too old", func(t *testing.T) { engineTooOld(t, l) })
	t.Run("mended", func(t *testing.T) {
		l.run(t)
		l.runbook(t, "status").want(t, 0)
		l.sameState(t, l.first)
	})
}

// without wants a run to name the host that does not answer, once, and why; to do what the others need; and not to be done.
func (l *lab) without(t *testing.T, host, why string) {
	t.Helper()
	o := l.runbook(t, "run", "--yes")
	o.want(t, 1, host+"             SILENT", why, "open: no answer from "+host+"; steps left out there: preflight packages", "95 verify")
	if strings.Count(o.text, why) != 1 || strings.Contains(o.text, "done.") || strings.Contains(o.text, "FAILED") {
		t.Errorf("a run without %s:\n%s", host, o.text)
	}
	l.run(t, "--only", "preflight", "--except", host).want(t, 0, "done, without "+host)
}

// stopped wants a run to be refused by a step on some hosts before anything is changed, and status to say so.
func (l *lab) stopped(t *testing.T, step, host string, texts ...string) {
	t.Helper()
	o := l.runbook(t, "run", "--yes")
	o.want(t, 1, append(texts, "stopped at step "+step+" (", ") on "+host+", before anything was changed.", step+"."+strings.Fields(host)[0]+".log", "  resume: ")...)
	o = l.runbook(t, "status")
	o.want(t, 1, "FAILED")
	for line := range strings.Lines(o.text) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "FAILED" && !strings.Contains(host, f[0]) {
			t.Errorf("status blames %s:\n%s", f[0], o.text)
		}
	}
}

func wrongHostKey(t *testing.T, l *lab) {
	dir, good := t.TempDir(), l.config
	ssh := filepath.Dir(good)
	var lines []string
	for line := range strings.Lines(read(t, filepath.Join(ssh, "known_hosts"))) {
		if strings.HasPrefix(line, "w1,") {
			// The name and address of w1 with the key of another.
			line = "w1," + l.address(t, "w1") + " " + read(t, filepath.Join(ssh, "w2.pub"))
		}
		lines = append(lines, line)
	}
	write(t, filepath.Join(dir, "known_hosts"), strings.Join(lines, ""))
	write(t, filepath.Join(dir, "config"), strings.Replace(read(t, good), filepath.Join(ssh, "known_hosts"), filepath.Join(dir, "known_hosts"), 1))
	l.config = filepath.Join(dir, "config")
	defer func() { l.config = good }()
	l.without(t, "w1", "Host key verification failed")
}

func nodeDown(t *testing.T, l *lab) {
	l.do(t, "stop", "w2")
	defer l.do(t, "start", "w2")
	l.without(t, "w2", "ssh: connect to host")
}

func sshdStopped(t *testing.T, l *lab) {
	// Nobody can log in to start it again, so the node does that by itself.
	l.on(t, "w1", "systemd-run --quiet --unit=mend --on-active=25 systemctl start ssh; systemctl stop ssh")
	o := l.runbook(t, "run", "--yes", "--to", "preflight")
	o.want(t, 1, "w1             SILENT", "Connection refused")
	eventually(t, time.Minute, func() error {
		_, err := l.try("w1", "true")
		return err
	})
}

// diskFull: on a node in service little room is a note, since the run may be the one that closes a hole.
func diskFull(t *testing.T, l *lab) {
	images := "/var/lib/docker"
	if *engine != "" {
		images = "/var/lib/containerd" // which has them since 29
	}
	l.on(t, "w2", "mount -t tmpfs -o size=100m tmpfs "+images)
	defer l.on(t, "w2", "umount "+images)
	l.run(t, "--only", "preflight").want(t, 0, "w2", "NOTE", images+" has ", "MiB free: want 4096 MiB")
}

// engineTooOld: the engine keeps running with the settings that it has, and is given none that were made for others.
func engineTooOld(t *testing.T, l *lab) {
	good := l.spec
	began := l.on(t, "m1", "systemctl show docker -p ActiveEnterTimestampMonotonic")
	l.build(t, edit{"\taccess: {", "\tengine: versions: {from: \"98.0\", below: \"99.0\"}\n\taccess: {"})
	l.stopped(t, "engine", "m1 w1 w2", "is outside engine.versions: 98.0", "install another engine")
	if got := l.on(t, "m1", "systemctl show docker -p ActiveEnterTimestampMonotonic"); got != began {
		t.Errorf("the engine started anew: %s, was %s", got, began)
	}
	l.spec = good
	l.build(t)
}
