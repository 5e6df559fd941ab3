package plan_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/plan"
)

// TestExamples plans from each example to each other one: no stack file that skep writes is refused.
func TestExamples(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*/bundle")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("bundles of examples: %q: %v", dirs, err)
	}
	var bundles []*plan.Bundle
	for _, dir := range dirs {
		bundles = append(bundles, bundleIn(t, dir))
	}
	for _, before := range bundles {
		for i, after := range bundles {
			p, err := plan.Compare(before, after)
			if err != nil {
				t.Error(err)
			}
			if before == after && !p.Empty() {
				t.Errorf("%s after itself: %q", dirs[i], p.Lines())
			}
		}
	}
}

func bundleIn(t *testing.T, dir string) *plan.Bundle {
	t.Helper()
	b, err := plan.Read(dir, filesIn(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func filesIn(t *testing.T, dir string) []artifact.File {
	t.Helper()
	var files []artifact.File
	in := os.DirFS(dir)
	err := fs.WalkDir(in, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !plan.Wants(name) {
			return err
		}
		data, err := fs.ReadFile(in, name)
		files = append(files, artifact.File{Path: name, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
