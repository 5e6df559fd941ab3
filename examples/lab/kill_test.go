package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// transcript collects what a running program prints.
type transcript struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.text.String()
}

// kill builds the cluster of the first run again, from taken-back machines, with a runbook that is killed without
// warning at the beginning of each step and again while the step changes a node. The end must be the same.
func kill(t *testing.T, l *lab) {
	l.spec = read(t, "cluster.cue")
	l.build(t)
	l.do(t, "stop", "w3")
	caught, boundaries := 0, 0
	for i, step := range l.steps(t) {
		if *kills == "some" && i%3 != 1 {
			continue
		}
		heading := fmt.Sprintf("%s %s: ", step.Number, step.Step)
		if l.killedAt(t, func(out string) bool { return strings.Contains(out, heading) }) {
			boundaries++
		}
		if l.killedAt(t, l.applying(t, step.Step)) {
			caught++
		}
	}
	t.Logf("killed %d times at the beginning of a step, %d times in the middle of one", boundaries, caught)
	if boundaries < 5 || caught < 2 {
		t.Error("that is too few")
	}
	// A polite end: the hosts at work finish, and the exit code says what happened.
	if code := l.ended(t, syscall.SIGTERM, func(out string) bool { return strings.Contains(out, " verify: ") }); code != 130 && code != 0 {
		t.Errorf("exit %d after SIGTERM, want 130", code)
	}
	l.run(t)
	l.run(t)
	l.did(t)
	l.runbook(t, "verify").want(t, 0)
	l.sameState(t, l.first)
}

type step struct {
	Number json.Number
	Step   string
}

func (l *lab) steps(t *testing.T) []step {
	t.Helper()
	var out []step
	for line := range strings.Lines(l.runbook(t, "list", "--json").text) {
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if len(s.Number) == 1 {
			s.Number = "0" + s.Number
		}
		out = append(out, s)
	}
	return out
}

// applying says whether the running runbook changes a host in a step: its check is over, and what the host prints since
// then goes to a new file.
func (l *lab) applying(t *testing.T, step string) func(string) bool {
	began := len(lines[logLine](t, filepath.Join(l.bundle+".state", "log.jsonl")))
	return func(string) bool {
		log, err := os.ReadFile(filepath.Join(l.bundle+".state", "log.jsonl"))
		if err != nil {
			return false
		}
		checked := map[string]bool{}
		for i, text := range strings.Split(string(log), "\n") {
			var line logLine
			if i >= began && json.Unmarshal([]byte(text), &line) == nil && line.Step == step {
				checked[line.Host] = line.Phase == "check" && line.Exit != 0
			}
		}
		for host, waits := range checked {
			info, err := os.Stat(filepath.Join(l.bundle+".state", "output", step+"."+host+".log.new"))
			if waits && err == nil && (info.Size() > 0 || step == "images" || step == "firewall") {
				return true
			}
		}
		return false
	}
}

// killedAt runs the runbook and kills it with its children when the moment has come; false when it ended before.
func (l *lab) killedAt(t *testing.T, moment func(out string) bool) bool {
	t.Helper()
	return l.ended(t, syscall.SIGKILL, moment) == -1
}

// ended runs the runbook in a process group of its own, sends it a signal at the moment, and returns its exit code.
func (l *lab) ended(t *testing.T, signal syscall.Signal, moment func(out string) bool) int {
	t.Helper()
	cmd := l.command(l.arguments("run", "--yes")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out transcript
	cmd.Stdout, cmd.Stderr = &out, &out
	// A connection that outlives the runbook holds its output open.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		// How it ended is read from its state.
		_ = cmd.Wait()
		close(done)
	}()
	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(15*time.Minute)
	defer tick.Stop()
	for sent := false; ; {
		select {
		case <-done:
			code := cmd.ProcessState.ExitCode()
			if code > 0 && !sent {
				t.Fatalf("exit %d:\n%s", code, out.String())
			}
			return code
		case <-deadline:
			t.Fatalf("no end after 15 minutes:\n%s", out.String())
		case <-tick.C:
			if !sent && moment(out.String()) {
				sent = true
				group := -cmd.Process.Pid
				if signal == syscall.SIGTERM {
					group = cmd.Process.Pid
				}
				if err := syscall.Kill(group, signal); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
