package generators_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// registration is a place where the small service of testdata/service says that it is there: a line that is added to a file
// below another one, or a line of a file of its own, or such a file. The finder is the package whose build or tests miss it.
type registration struct{ file, after, line, finder string }

// The files that the service shares with others, and what it adds to each.
var shared = []registration{
	{"schema/services.cue", "#Services: {", "\tloki?: #Loki & {_first: _firstManager}", "./schema"},
	{"schema/services.go", "type Services struct {", "\tLoki *Loki `json:\"loki,omitempty\"`", "./schema"},
	{"generators/stack/stack.go", "return []service{", "\t\t{\"loki\", loki, nil},", "./generators/stack"},
	{"examples/everything/cluster.cue", "\tservices: {", "\t\tloki: {}", "./generators/stack"},
}

const lokiType = `
// Loki keeps the logs of the tasks.
type Loki struct {
	Image     string    ` + "`json:\"image\"`" + `
	Node      string    ` + "`json:\"node\"`" + `
	Revision  int       ` + "`json:\"revision\"`" + `
	Port      uint16    ` + "`json:\"port\"`" + `
	UID       int       ` + "`json:\"uid\"`" + `
	Resources Resources ` + "`json:\"resources\"`" + `
}
`

// Its registrations: without one of them something does not build, or one of the tests fails that every service has.
var registrations = append([]registration{
	{"schema/loki.cue", "", "#references:", "./schema/spec"},
	{"schema/loki.cue", "", "secrets:", "./generators/stack"},
	{"schema/loki.cue", "", "duties:", "./generators/stack"},
	{"schema/loki.cue", "", "images:", "./generators/stack"},
	{"schema/loki.cue", "", "deploys:", "./generators/stack"},
	{"schema/loki.cue", "", "scrapes:", "./generators/stack"},
	{"schema/loki.cue", "", "texts:", "./generators/review"},
	{"schema/loki.cue", "", "", "./schema"},
	{"generators/stack/loki.go", "", "", "./generators/stack"},
	{"generators/review/services/loki.md", "", "", "./generators/review"},
}, shared...)

// TestNewService adds a service to a copy of the tree, which costs at most seven files, and forgets each of its
// registrations in turn.
func TestNewService(t *testing.T) {
	tree := t.TempDir()
	for _, dir := range []string{"schema", "generators", "examples"} {
		copyTree(t, filepath.Join("..", dir), filepath.Join(tree, dir))
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		write(t, filepath.Join(tree, file), read(t, filepath.Join("..", file)))
	}
	touched := len(shared)
	err := filepath.WalkDir("testdata/service", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			touched++
		}
		return err
	})
	if err != nil || touched > 7 {
		t.Errorf("a service costs %d files, want 7 or fewer: %v", touched, err)
	}
	copyTree(t, "testdata/service", tree)
	for _, r := range shared {
		path := filepath.Join(tree, r.file)
		text := strings.Replace(read(t, path), r.after+"\n", r.after+"\n"+r.line+"\n", 1)
		if strings.HasSuffix(r.file, "services.go") {
			text += lokiType
		}
		write(t, path, text)
	}
	if out, err := judge(tree, "./schema", "./schema/spec", "./generators/stack", "./generators/review"); err != nil {
		t.Fatalf("the service does not fit: %v\n%s", err, out)
	}
	for _, r := range registrations {
		forget(t, tree, r)
	}
}

// forget takes one registration away, and puts it back.
func forget(t *testing.T, tree string, r registration) {
	t.Helper()
	path := filepath.Join(tree, r.file)
	whole := read(t, path)
	defer func() { write(t, path, whole) }()
	without := ""
	for line := range strings.Lines(whole) {
		if r.line != "" && !strings.Contains(line, r.line) {
			without += line
		}
	}
	if without == whole {
		t.Fatalf("%s has no line %q", r.file, r.line)
	}
	if write(t, path, without); without == "" {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := judge(tree, r.finder); err == nil {
		t.Errorf("%s: nothing misses %q\n%s", r.file, strings.TrimSpace(r.line), out)
	}
}

// judge builds packages of the tree and runs their tests that hold every service.
func judge(tree string, packages ...string) (string, error) {
	tests := exec.Command("go", append([]string{"test", "-vet=off",
		"-run", "^(TestTypesMirrorSchema|TestReferencesAreListed|TestRows|TestServicesAreDeployed|TestTasksHaveTheirRows|TestTextsAreUsed)$"}, packages...)...)
	tests.Dir = tree
	out, err := tests.CombinedOutput()
	return string(out), err
}

// copyTree copies a directory without the goldens.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (d.Name() == "bundle" || d.Name() == "conformance" || d.Name() == "lab" || d.Name() == "testdata" && from != path && strings.HasPrefix(from, "..")):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		}
		write(t, filepath.Join(to, rest), read(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
