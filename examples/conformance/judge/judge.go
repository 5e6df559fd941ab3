// Package judge is what the judges of this module share: the bundles they judge and the tools they judge with.
package judge

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// Bundles returns the directories of every example's checked-in bundle. A judge without a case is a failure.
func Bundles(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("..", "..", "*", "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) == 0 {
		t.Fatal("no bundle in examples/*/bundle")
	}
	return dirs
}

// Example returns the name of the example that a bundle belongs to.
func Example(bundle string) string { return filepath.Base(filepath.Dir(bundle)) }

// Tool returns the path of a program. Without it the test fails, with the name of the Debian package to install.
func Tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	// An ordinary user's PATH leaves these out.
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	Missing(t, name+" is not on PATH: install "+pkg)
	return ""
}

// Missing fails the test: a proof that was skipped would read as one that was made.
func Missing(t *testing.T, what string) {
	t.Helper()
	t.Fatal("not proven: " + what)
}

// Private wants nothing below a directory to be readable by anybody but its owner.
func Private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Spec loads the spec that a bundle was compiled from.
func Spec(t *testing.T, bundle string) *schema.Cluster {
	t.Helper()
	dir := filepath.Dir(bundle)
	specs, err := filepath.Glob(filepath.Join(dir, "cluster.*"))
	if err != nil || len(specs) != 1 {
		t.Fatalf("%s: want one spec, got %v", dir, specs)
	}
	c, _, err := spec.Load(specs[0])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Cluster loads a spec in YAML.
func Cluster(t *testing.T, text string) *schema.Cluster {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Write puts files below dir and returns dir.
func Write(t *testing.T, dir string, files []artifact.File) string {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
