package editor_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"skep.dev/examples/conformance/judge"
)

// library installs the packages of testdata, once for each lock, and gives their directory with the session in it.
func library(t *testing.T) string {
	t.Helper()
	npm := judge.Tool(t, "npm", "npm")
	lock, err := os.ReadFile("testdata/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "skep-conformance", fmt.Sprintf("editor-%x", sha256.Sum256(lock)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "session.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
		return dir // npm writes it last
	}
	if out, err := exec.Command(npm, "ci", "--ignore-scripts", "--prefix", dir).CombinedOutput(); err != nil {
		judge.Missing(t, fmt.Sprintf("npm ci: %v: %s", err, out))
	}
	return dir
}

// TestSession: the libraries of VS Code hold a whole session with skep lsp.
func TestSession(t *testing.T) {
	node, dir := judge.Tool(t, "node", "nodejs"), library(t)
	skep := filepath.Join(t.TempDir(), "skep")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", skep, "./cmd/skep")
	build.Dir = top
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	work := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "paris with blank"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, filepath.Join(dir, "session.mjs"), work, skep, "lsp", "--stdio").CombinedOutput()
	if err != nil || string(out) != "the session is over\n" {
		t.Errorf("%v: %s", err, out)
	}
}
