package runbook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A terminal shows who is at work as long as they are; what is said afterwards takes the place of that line.
func TestProgress(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Fatal("want script(1) from bsdutils: it makes the terminal")
	}
	s := newSandbox(t, target(t))
	held := filepath.Join(s.fake, "held")
	must(t, syscall.Mkfifo(held, 0o600))
	shown := filepath.Join(t.TempDir(), "shown")
	cmd := exec.Command("script", "--quiet", "--return", "--flush", "--command", s.bundle+"/runbook.sh run --only preflight", shown)
	cmd.Env = []string{"PATH=" + s.path, "FAKE=" + s.fake, "HOME=/nonexistent", "TMPDIR=" + t.TempDir(), "TERM=xterm"}
	must(t, cmd.Start())
	screen := func() string {
		text, _ := os.ReadFile(shown)
		return string(text)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(screen(), "0/1 done, 2s, at work: m1"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no progress on the terminal:\n%q", screen())
		}
	}
	// Those who wait see the end of the pipe when the last writer is gone; those who come later find none.
	pipe, err := os.OpenFile(held, os.O_RDWR, 0)
	must(t, err)
	must(t, os.Remove(held))
	must(t, pipe.Close())
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, screen())
	}
	for line := range strings.Lines(screen()) {
		drawn := strings.Split(line, "\r\x1b[K")
		if last := drawn[len(drawn)-1]; strings.Contains(last, "at work") {
			t.Errorf("left on the terminal: %q", line)
		}
	}
	if n := strings.Count(screen(), "DONE"); n < 3 {
		t.Errorf("%d hosts done:\n%q", n, screen())
	}
}
