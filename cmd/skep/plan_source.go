package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/generators/plan"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// bundlesOf reads both sides of a plan. Mistakes of two specs are told together.
func bundlesOf(old, new string) (before, after *plan.Bundle, err error) {
	var other error
	var wait sync.WaitGroup
	wait.Go(func() { after, other = bundleOf(new) })
	before, err = bundleOf(old)
	wait.Wait()
	var first, second finding.List
	switch {
	case errors.As(err, &first) && errors.As(other, &second):
		second = slices.DeleteFunc(second, func(f finding.Finding) bool { return slices.Contains(first, f) }) // of a file of both
		return nil, nil, slices.Concat(first, second)
	case err != nil:
		return nil, nil, err
	}
	return before, after, other
}

// bundleOf reads a bundle, what a spec compiles to, or either of them in a revision of git. Its error begins with name,
// or is the mistakes of a spec.
func bundleOf(name string) (*plan.Bundle, error) {
	files, err := filesOf(name)
	if err != nil {
		return nil, err
	}
	b, err := plan.Read(name, files)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return b, nil
}

// filesOf reads the files of a bundle, or compiles a spec.
func filesOf(name string) ([]artifact.File, error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if rev, inside, ok := strings.Cut(name, ":"); ok && rev != "" {
			return filesInGit(rev, inside)
		}
	}
	if _, err := os.Stat(filepath.Join(name, artifact.ManifestName)); err == nil {
		files, err := filesIn(os.DirFS(name))
		if err != nil {
			return nil, fmt.Errorf("plan: %s: %w", name, err)
		}
		return files, nil
	}
	return compile(load(name))
}

func compile(c loaded, err error) ([]artifact.File, error) {
	if err != nil {
		return nil, err
	}
	files, err := generators.Generate(c.Cluster)
	return append(files, artifact.Manifest(files)), err
}

// filesIn reads what a plan needs from a bundle: what MANIFEST lists, as the runbook would.
func filesIn(dir fs.FS) ([]artifact.File, error) {
	var files []artifact.File
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !inBundle(name) || !e.Type().IsRegular():
			return nil
		}
		data, err := fs.ReadFile(dir, name)
		files = append(files, artifact.File{Path: name, Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(files)
}

// listed are the files that a plan reads, with the MANIFEST that lists them.
func listed(files []artifact.File) ([]artifact.File, error) {
	out, err := artifact.Listed(files, plan.Wants)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == artifact.ManifestName })
	return append(out, files[i]), nil
}

func inBundle(name string) bool { return name == artifact.ManifestName || plan.Wants(name) }

// filesInGit reads REV:PATH: a bundle, or a spec together with the module that it is part of.
func filesInGit(rev, inside string) ([]artifact.File, error) {
	r, err := openRevision(rev, inside)
	if err != nil {
		return nil, err
	}
	if r.isFile {
		return compileAt(r, path.Dir(r.path), path.Base(r.path))
	}
	bundle, err := r.files(r.path, func(name string, _ int) bool { return inBundle(name) })
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(bundle, func(f artifact.File) bool { return f.Path == artifact.ManifestName }) {
		return compileAt(r, r.path, "")
	}
	files, err := listed(bundle)
	if err != nil {
		return nil, fmt.Errorf("plan: %s:%s: %w", rev, inside, err)
	}
	return files, nil
}

// compileAt compiles the spec in a directory of a revision, together with the module around it.
func compileAt(r *revision, dir, file string) ([]artifact.File, error) {
	root, err := r.moduleRoot(dir)
	if err != nil {
		return nil, err
	}
	inside := strings.TrimPrefix(strings.TrimPrefix(dir, root), "/")
	if root == "." {
		inside = dir
	}
	isSpec := func(name string, _ int) bool {
		return path.Ext(name) == ".cue" || name == path.Join(inside, file) || path.Dir(name) == path.Clean(inside) && (isData(name) || path.Base(name) == schema.LockFile)
	}
	files, err := r.files(root, isSpec)
	if err != nil {
		return nil, err
	}
	// Only a spec with stacks of the users reads other files: any below its directory, which may be a large one.
	if slices.ContainsFunc(files, func(f artifact.File) bool { return bytes.Contains(f.Data, []byte("stacks")) }) {
		const largest = 1 << 20 // as schema/compose reads
		below := path.Clean(inside) + "/"
		more, err := r.files(root, func(name string, size int) bool {
			return size <= largest && (below == "./" || strings.HasPrefix(name, below)) && !isSpec(name, size)
		})
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return compile(loadFS(newTree(files, func(name string) string { return r.name(path.Join(root, name)) }), path.Join(inside, file)))
}

// tree is files in memory; for the reader of a message they have other names.
type tree struct {
	fstest.MapFS
	known func(name string) string
}

func newTree(files []artifact.File, known func(name string) string) tree {
	t := tree{fstest.MapFS{}, known}
	for _, f := range files {
		t.MapFS[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o444}
	}
	return t
}

// Known gives a file's name to the reader of a message.
func (t tree) Known(name string) string { return t.known(name) }

// isData reports whether a file may be a spec that is no CUE.
func isData(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}
