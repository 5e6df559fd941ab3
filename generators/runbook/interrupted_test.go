package runbook_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A polite end: the hosts at work finish, the exit code says what happened, and nothing of the runbook is left behind.
func TestTerminated(t *testing.T) {
	s := newSandbox(t, target(t))
	for _, heading := range []string{"05 operator:", "30 engine:"} {
		temp := t.TempDir()
		cmd := exec.Command("bash", filepath.Join(s.bundle, "runbook.sh"), "run", "--yes")
		cmd.Env = []string{"PATH=" + s.path, "FAKE=" + s.fake, "HOME=/nonexistent", "TMPDIR=" + temp}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		sent := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if !sent && strings.HasPrefix(lines.Text(), heading) {
				must(t, cmd.Process.Signal(syscall.SIGTERM))
				sent = true
			}
		}
		err = cmd.Wait()
		var exit *exec.ExitError
		if !sent || !errors.As(err, &exit) || exit.ExitCode() != 130 || !strings.Contains(stderr.String(), "interrupted; waiting for the hosts at work") {
			t.Errorf("SIGTERM at %s: %v %v\n%s", heading, sent, err, stderr.String())
		}
		if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
			t.Errorf("SIGTERM at %s left %q", heading, left)
		}
	}
}

// The signal may come at any moment of the shell, and most of them are within some $(...): there a plain trap ends with 2,
// about one time in four.
func TestTerminatedWhileExpanding(t *testing.T) {
	steps, err := os.ReadFile("sh/steps.sh")
	must(t, err)
	trap := regexp.MustCompile(`(?m)^(readonly on_signal=.*|\ttrap "\$on_signal" INT TERM HUP)\n`).FindAll(steps, -1)
	if len(trap) != 2 {
		t.Fatalf("steps.sh sets its traps by %q", trap)
	}
	program := "set -euo pipefail\ninterrupted() { trap '' INT TERM HUP; exit 130; }\n" + string(trap[0]) + string(trap[1]) + `
f() { echo x; }
echo ready
while :; do a="{\"t\":\"$(f)\"}"; printf '%s' "$(f "$(f)")" >/dev/null; done
`
	for range 25 {
		cmd := exec.Command("bash", "-c", program)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		must(t, err)
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
			t.Fatalf("%v: %s", cmd.ProcessState, stderr.String())
		}
	}
}
