package generators_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

var update = flag.Bool("update", false, "rewrite the bundles of the examples; read the diff before you commit it")

// exampleSpecs are the specs below examples/ whose bundles are goldens; a directory that is a module of its own has none.
func exampleSpecs(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../examples/*/cluster.[cy]*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(spec string) bool {
		_, err := os.Stat(filepath.Join(filepath.Dir(spec), "go.mod"))
		return err == nil
	})
}

func generate(t *testing.T, path string) []artifact.File {
	t.Helper()
	c, _, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	files, err := generators.Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestExamples compares each example's bundle with the one in the tree, byte for byte.
func TestExamples(t *testing.T) {
	specs := exampleSpecs(t)
	if len(specs) < 5 {
		t.Fatalf("only %q found", specs)
	}
	for _, spec := range specs {
		t.Run(filepath.Base(filepath.Dir(spec)), func(t *testing.T) {
			golden := filepath.Join(filepath.Dir(spec), "bundle")
			files := generate(t, spec)
			if *update {
				if err := os.RemoveAll(golden); err != nil {
					t.Fatal(err)
				}
				if _, err := artifact.Write(golden, files); err != nil {
					t.Fatal(err)
				}
			}
			compareGolden(t, golden, append(files, artifact.Manifest(files)))
		})
	}
}

// compareGolden reports each file that is missing, different, of another mode, or no longer generated.
func compareGolden(t *testing.T, golden string, files []artifact.File) {
	t.Helper()
	wanted := map[string]bool{}
	for _, f := range files {
		wanted[f.Path] = true
		path := filepath.Join(golden, filepath.FromSlash(f.Path))
		got, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: generated, and not in the tree (go test ./generators -update)", path)
			continue
		}
		info, statErr := os.Stat(path)
		if err := errors.Join(err, statErr); err != nil {
			t.Fatal(err)
		}
		if runs := f.Mode&0o111 != 0; runs != (info.Mode()&0o111 != 0) {
			t.Errorf("%s: mode %v, generated %v", path, info.Mode(), f.Mode)
		}
		if !bytes.Equal(got, f.Data) {
			t.Errorf("%s: %s (go test ./generators -update)", path, firstDifference(f.Data, got))
		}
	}
	err := filepath.WalkDir(golden, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if rel, err := filepath.Rel(golden, path); err != nil || !wanted[filepath.ToSlash(rel)] {
			t.Errorf("%s: in the tree, and not generated", path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// firstDifference shows the first line at which two texts differ.
func firstDifference(generated, golden []byte) string {
	a, b := bytes.Split(generated, []byte("\n")), bytes.Split(golden, []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Sprintf("line %d: generated %q, in the tree %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("generated %d lines, in the tree %d", len(a), len(b))
}

// TestDeterminism generates each example again: from the same spec, from another working directory, and from the
// spec with the fields of every struct in reverse order.
func TestDeterminism(t *testing.T) {
	for _, spec := range exampleSpecs(t) {
		t.Run(filepath.Base(filepath.Dir(spec)), func(t *testing.T) {
			first := generate(t, spec)
			sameFiles(t, "a second time", generate(t, spec), first)

			absolute, err := filepath.Abs(spec)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			sameFiles(t, "in another directory", generate(t, absolute), first)

			if filepath.Ext(absolute) == ".cue" {
				sameFiles(t, "of reversed fields", generate(t, reversed(t, absolute)), first)
			}
		})
	}
}

func sameFiles(t *testing.T, which string, got, want []artifact.File) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d files, first %d", which, len(got), len(want))
	}
	for i, f := range got {
		if f.Path != want[i].Path || f.Mode != want[i].Mode || !bytes.Equal(f.Data, want[i].Data) {
			t.Errorf("%s: %s: %s", which, f.Path, firstDifference(f.Data, want[i].Data))
		}
	}
}

// reversed writes a spec anew with the fields of every struct in reverse order, and returns its path.
func reversed(t *testing.T, spec string) string {
	t.Helper()
	file, err := parser.ParseFile(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	structs := 0
	ast.Walk(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.StructLit); ok {
			structs++
			slices.Reverse(s.Elts)
		}
		return true
	}, nil)
	if structs == 0 {
		t.Fatalf("%s: no struct to reverse", spec)
	}
	text, err := format.Node(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range applications(t, filepath.Dir(spec)) {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(filepath.Dir(spec), name))); err != nil {
			t.Fatal(err)
		}
	}
	if lock, err := os.ReadFile(filepath.Join(filepath.Dir(spec), schema.LockFile)); err == nil {
		write(t, filepath.Join(dir, schema.LockFile), string(lock))
	}
	path := filepath.Join(dir, "cluster.cue")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// applications are the directories beside a spec that hold its Compose files.
func applications(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range found {
		names[filepath.Base(filepath.Dir(file))] = true
	}
	return names
}
