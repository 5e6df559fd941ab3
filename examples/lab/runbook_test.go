package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcome is how a run of the runbook ended.
type outcome struct {
	code int
	text string // stdout and stderr
}

// arguments is the command line of the runbook as an operator in the zone management types it.
func (l *lab) arguments(args ...string) []string {
	line := []string{"zone", "management", filepath.Join(l.bundle, "runbook.sh")}
	line = append(line, args...)
	return append(line, "--ssh-config", l.config, "--images", l.images)
}

// runbook runs the bundle's runbook to its end.
func (l *lab) runbook(t *testing.T, args ...string) outcome {
	t.Helper()
	return l.finish(t, l.command(l.arguments(args...)...))
}

func (l *lab) finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	t.Logf("%s: exit %d after %v", strings.Join(cmd.Args[slices.Index(cmd.Args, "management"):][:3], " "), cmd.ProcessState.ExitCode(), time.Since(began).Round(time.Second))
	return outcome{cmd.ProcessState.ExitCode(), out.String()}
}

// run runs the runbook and wants it to succeed.
func (l *lab) run(t *testing.T, args ...string) outcome {
	t.Helper()
	o := l.runbook(t, append([]string{"run", "--yes"}, args...)...)
	o.want(t, 0)
	return o
}

// want checks how the run ended and what it said.
func (o outcome) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	var lacks []string
	for _, text := range texts {
		if !strings.Contains(o.text, text) {
			lacks = append(lacks, text)
		}
	}
	if o.code != code || len(lacks) > 0 {
		t.Fatalf("exit %d, want %d; it lacks %q\n%s", o.code, code, lacks, o.text)
	}
}

// stateLine and logLine are the promise that journal.sh makes.
type stateLine struct {
	Time    time.Time `json:"time"`
	Run     string    `json:"run"`
	Bundle  string    `json:"bundle"`
	Step    string    `json:"step"`
	Host    string    `json:"host"`
	Status  string    `json:"status"`
	Seconds int       `json:"seconds"`
}

type logLine struct {
	Time  time.Time `json:"time"`
	Run   string    `json:"run"`
	Step  string    `json:"step"`
	Host  string    `json:"host"`
	Phase string    `json:"phase"`
	Exit  int       `json:"exit"`
	Text  string    `json:"text"`
}

// lines reads a file of JSON lines that have these fields and no others.
func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	var out []T
	for text := range strings.Lines(read(t, path)) {
		var line T
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&line); err != nil {
			t.Fatalf("%s: %v in %s", path, err, text)
		}
		out = append(out, line)
	}
	return out
}

// done returns "step host" of what the last run changed, in order.
func (l *lab) done(t *testing.T) []string {
	t.Helper()
	all := lines[stateLine](t, filepath.Join(l.bundle+".state", "state.jsonl"))
	last, out := all[len(all)-1].Run, map[string]bool{}
	for _, line := range all {
		if line.Run == last && line.Status == "DONE" {
			out[line.Step+" "+line.Host] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// journal checks the state and the log of a run that went well.
func journal(t *testing.T, l *lab) {
	for _, line := range lines[stateLine](t, filepath.Join(l.bundle+".state", "state.jsonl")) {
		if line.Time.IsZero() || len(line.Bundle) != 64 || line.Step == "" || line.Host == "" || line.Run == "" ||
			!slices.Contains([]string{"ALREADY_DONE", "DONE", "FAILED", "UNKNOWN", "UNDONE"}, line.Status) {
			t.Errorf("state.jsonl: %+v", line)
		}
	}
	values := strings.Fields(l.on(t, "m1", "cd /etc/skep/secrets && for file in grafana* s3* *.password; do cat $file && echo; done; docker swarm join-token -q worker"))
	if len(values) != 7 {
		t.Fatalf("want six secrets and the token, got %d", len(values))
	}
	for _, line := range lines[logLine](t, filepath.Join(l.bundle+".state", "log.jsonl")) {
		if line.Time.IsZero() || line.Step == "" || line.Host == "" || line.Run == "" ||
			!slices.Contains([]string{"check", "before", "apply", "confirm", "verify", "after"}, line.Phase) {
			t.Errorf("log.jsonl: %+v", line)
		}
		for _, value := range values {
			if strings.Contains(line.Text, value) {
				t.Errorf("log.jsonl: step %s holds a secret", line.Step)
			}
		}
	}
	o := l.runbook(t, "status", "--json")
	o.want(t, 0)
	for text := range strings.Lines(o.text) {
		var line struct{ Step, Host, Status, Text string }
		if err := json.Unmarshal([]byte(text), &line); err != nil || (line.Status != "DONE" && line.Status != "ALREADY_DONE") {
			t.Errorf("status: %v: %s", err, text)
		}
	}
}

// patient makes a time as long as a slow machine needs.
func patient(d time.Duration) time.Duration { return d * time.Duration(*patience) }

// eventually asks until the answer is nil or the time is over.
func eventually(t *testing.T, patience time.Duration, ask func() error) {
	t.Helper()
	patience = patient(patience)
	deadline, tick := time.After(patience), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	err := ask()
	for err != nil {
		select {
		case <-deadline:
			t.Fatalf("after %v: %v", patience, err)
		case <-tick.C:
			err = ask()
		}
	}
}
