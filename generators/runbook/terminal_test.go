package runbook_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// noise is what a node may say to take over the terminal of the one who reads it: titles, a cleared screen, colours, a line
// that is written over, the 8-bit forms of the same, as bytes and as UTF-8, a turned direction, and no text at all.
const noise = "\x1b]0;owned\a\x1b[2J\x1b[31mred\rover\x9b2J\xc2\x9b31m\x90\xc2\x90 \u202etxt\u2066 \xff\xfe\x00\x7f\b\v\x0e \u00e9nd\n"

// steers returns what of a text a terminal would obey.
func steers(text string) string {
	for i, r := range text {
		switch {
		case r == '\n':
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return text[max(0, i-40):min(len(text), i+40)]
		}
	}
	return ""
}

// Nothing that a node prints, in any verb and phase, steers the terminal of the operator, or of one who reads the logs.
func TestLongNodeSteersNoTerminal(t *testing.T) {
	s := newSandbox(t, target(t))
	archives := filepath.Join(filepath.Dir(s.bundle), "images")
	must(t, os.Mkdir(archives, 0o755))
	for _, image := range []string{"traefik", "prom_prometheus"} {
		found, err := exec.Command("sh", "-c", "grep -rhoE \"'"+strings.ReplaceAll(image, "_", "/")+":[^ ]*\" "+s.bundle+"/runbook/cluster.sh").Output()
		must(t, err)
		name := strings.NewReplacer("/", "_", ":", "_", "@", "_", "'", "").Replace(strings.TrimSpace(string(found)))
		must(t, os.WriteFile(filepath.Join(archives, name+".tar"), []byte("x"), 0o644))
	}
	s.env = []string{"LANG=C.UTF-8"}
	s.write("noise", noise)
	checked := 0
	check := func(r result, args ...string) {
		t.Helper()
		for _, text := range []string{r.stdout, r.stderr} {
			if at := steers(text); at != "" {
				t.Errorf("%v: %q reaches the terminal", args, at)
			}
		}
		if strings.Contains(r.stdout+r.stderr, "\u00e9nd") {
			checked++
		}
	}
	run := func(args ...string) { t.Helper(); check(s.run(args...), args...) }
	for _, json := range [][]string{nil, {"--json"}} {
		run(slices.Concat([]string{"run", "--dry-run"}, json)...)
	}
	s.want(0, "run", "--yes", "--to", "engine")
	run("run", "--yes", "--only", "images", "--only", "swarm", "--only", "workers")
	for _, phase := range []string{"lockout/10.0.0.11", "down/10.0.0.12"} {
		must(t, os.MkdirAll(filepath.Join(s.fake, filepath.Dir(phase)), 0o755))
		s.write(phase, noise)
		for _, args := range [][]string{{"run", "--yes", "--only", "firewall"}, {"verify", "--only", "preflight"}, {"verify", "--only", "preflight", "--json"}, {"run", "--dry-run", "--only", "preflight"}} {
			run(args...)
		}
	}
	s.remove("down/10.0.0.12")
	must(t, os.WriteFile(filepath.Join(s.fake, "hosts/10.0.0.11/taken"), []byte("sport = :443"), 0o644))
	run("run", "--only", "preflight")
	must(t, os.Remove(filepath.Join(s.fake, "hosts/10.0.0.11/taken")))
	run("run", "--yes", "--from", "nodes", "--to", "traefik")
	run("status")
	run("status", "--json")
	run("verify", "--only", "swarm", "--only", "traefik")
	s.write("broken", "rollback_completed "+noise)
	run("run", "--yes", "--only", "traefik")
	s.remove("broken")
	run("undo", "--yes", "--only", "traefik", "--only", "networks", "--only", "workers")
	if checked < 5 {
		t.Errorf("only %d outputs held what the node said: nothing was tried", checked)
	}
	must(t, filepath.WalkDir(s.bundle+".state", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !(strings.HasSuffix(path, ".log") || strings.HasSuffix(path, ".jsonl")) {
			return err
		}
		b, err := os.ReadFile(path)
		if at := steers(string(b)); at != "" {
			t.Errorf("%s: %q steers the terminal of who reads it", filepath.Base(path), at)
		}
		return err
	}))
}

// The same on a terminal, where the line of progress is all that is not text.
func TestNodeSteersNoTerminalOnOne(t *testing.T) {
	s := newSandbox(t, target(t))
	s.write("noise", noise)
	shown := filepath.Join(t.TempDir(), "shown")
	commands := filepath.Join(t.TempDir(), "commands") // script writes into its file what it was called with
	must(t, os.WriteFile(commands, []byte("run="+s.bundle+"/runbook.sh\n$run run --yes --to packages\n"+
		"$run verify --only preflight --ssh-config /nonexistent\u202e\n$run run --yes --only images\n"), 0o644))
	cmd := exec.Command(tool(t, "script"), "--quiet", "--return", "--flush", "--command", "bash "+commands, shown)
	cmd.Env = []string{"PATH=" + s.path, "FAKE=" + s.fake, "HOME=/nonexistent", "TMPDIR=" + t.TempDir(), "TERM=xterm", "LANG=C.UTF-8"}
	_ = cmd.Run() // the last command fails: there is no engine yet
	text, err := os.ReadFile(shown)
	must(t, err)
	if at := steers(strings.NewReplacer("\r\x1b[K", "", "\r\n", "\n").Replace(string(text))); at != "" {
		t.Errorf("%q reaches the terminal", at)
	}
	if !strings.Contains(string(text), "DONE") || !strings.Contains(string(text), "/nonexistent") {
		t.Errorf("nothing was tried:\n%s", text)
	}
}
