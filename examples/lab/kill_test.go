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
	steps := l.steps(t)
	caught := []string{}
	for i, step := range steps[:len(steps)-1] {
		if *kills == "some" && i%3 != 1 {
			continue
		}
		l.killed(t, step.heading)
		// A step that is too quick to be caught ends where the next one begins.
		applying, middle := l.applying(t, step.Step), false
		l.killed(t, func(out string) bool {
			middle = applying()
			return middle || steps[i+1].heading(out)
		})
		if middle {
			caught = append(caught, step.Step)
		}
	}
	t.Logf("killed in the middle of %q", caught)
	if len(caught) < 2 {
		t.Error("that is too few")
	}
	// A polite end: the hosts at work finish, and the exit code says what happened.
	if code := l.ended(t, syscall.SIGTERM, steps[2].heading); code != 130 {
		t.Errorf("exit %d after SIGTERM, want 130", code)
	}
	l.run(t)
	l.run(t)
	l.did(t)
	l.runbook(t, "verify").want(t, 0)
	l.sameState(t, l.first)
}

type step struct {
	Number int
	Step   string
}

// heading says whether the runbook has come as far as the step.
func (s step) heading(out string) bool {
	return strings.Contains(out, fmt.Sprintf("%02d %s: ", s.Number, s.Step))
}

func (l *lab) steps(t *testing.T) []step {
	t.Helper()
	var out []step
	for line := range strings.Lines(l.runbook(t, "list", "--json").text) {
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		out = append(out, s)
	}
	return out
}

// applying says whether the running runbook changes a host in a step: its check is over, and what the host prints since
// then goes to a new file.
func (l *lab) applying(t *testing.T, step string) func() bool {
	began := len(lines[logLine](t, filepath.Join(l.bundle+".state", "log.jsonl")))
	return func() bool {
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

// killed runs the runbook and kills it with its children when the moment has come.
func (l *lab) killed(t *testing.T, moment func(out string) bool) {
	t.Helper()
	if code := l.ended(t, syscall.SIGKILL, moment); code != -1 {
		t.Errorf("the runbook came to its end before it was killed: exit %d", code)
	}
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
