package runbook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/runbook"
)

// What operators read and run is clean, with every step and with the fewest.
func TestLint(t *testing.T) {
	for _, example := range []string{"everything", "host"} { // the most facts, and the fewest
		files, err := runbook.Files(load(t, example))
		must(t, err)
		dir := t.TempDir()
		var paths []string
		for _, f := range files {
			if strings.HasSuffix(f.Path, ".sh") {
				paths = append(paths, write(t, dir, f))
			}
		}
		lint(t, append([]string{"shellcheck", "-S", "warning"}, paths...))
		lint(t, append([]string{"shfmt", "-d"}, paths...))
	}
}

func write(t *testing.T, dir string, f artifact.File) string {
	t.Helper()
	path := filepath.Join(dir, f.Path)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, f.Data, f.Mode))
	return path
}

func lint(t *testing.T, command []string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("not proven: install %s", command[0])
	}
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command[0], err, out)
	}
}

// 10,000 nodes make a long inventory and nothing else longer.
func TestManyNodes(t *testing.T) {
	c := load(t, "target")
	few, err := runbook.Files(c)
	must(t, err)
	for range 10_000 - len(c.Nodes) {
		c.Nodes = append(c.Nodes, c.Nodes[1])
	}
	many, err := runbook.Files(c)
	must(t, err)
	for i, f := range many {
		if f.Path != runbook.Inventory && len(f.Data) > len(few[i].Data)+8 {
			t.Errorf("%s grew from %d to %d bytes", f.Path, len(few[i].Data), len(f.Data))
		}
	}
}
