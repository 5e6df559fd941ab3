package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The terminal session of the README is what a terminal shows: its commands run here, and the rest has to be their output.
func TestReadmeSession(t *testing.T) {
	const readme = "../../README.md"
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(b), "```console\n")
	session, after, ok := strings.Cut(rest, "```\n")
	if !ok || strings.Count(session, "$ skep ") < 4 {
		t.Fatal("README.md has no session that shows skep")
	}
	var script strings.Builder
	for line := range strings.Lines(session) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script.WriteString("cat <<'EOF'\n" + line + "EOF\n" + command)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"readme.txtar": "exec bash session.sh\ncmp stdout session.txt\n-- session.sh --\nexec 2>&1\n" + script.String() + "exit 0\n-- session.txt --\n" + session,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		t.Cleanup(func() { // when the script has run and holds what was shown
			script, err := os.ReadFile(filepath.Join(dir, "readme.txtar"))
			_, shown, ok := strings.Cut(string(script), "-- session.txt --\n")
			if err != nil || !ok || t.Failed() {
				t.Error(err)
				return
			}
			if err := os.WriteFile(readme, []byte(before+"```console\n"+shown+"```\n"+after), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
	testscript.Run(t, testscript.Params{Dir: dir, UpdateScripts: *update})
}
