package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/generators/plan"
	"skep.dev/schema"
)

// bundleOf reads a bundle, what a spec compiles to, or either of them in a revision of git.
func bundleOf(name string) (*plan.Bundle, error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if rev, inside, ok := strings.Cut(name, ":"); ok && rev != "" {
			return bundleInGit(name, rev, inside)
		}
	}
	files, err := filesOf(name)
	if err != nil {
		return nil, err
	}
	b, err := plan.Read(files)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", name, err)
	}
	return b, nil
}

// filesOf reads the files of a bundle, or compiles a spec.
func filesOf(name string) ([]artifact.File, error) {
	if _, err := os.Stat(filepath.Join(name, artifact.ManifestName)); err == nil {
		files, err := filesIn(os.DirFS(name))
		if err != nil {
			return nil, fmt.Errorf("plan: %s: %w", name, err)
		}
		return files, nil
	}
	c, err := schema.Load(name)
	if err != nil {
		return nil, err
	}
	return generators.Generate(c)
}

// filesIn reads what a plan needs from a bundle: what MANIFEST lists, as the runbook would.
func filesIn(dir fs.FS) ([]artifact.File, error) {
	var files []artifact.File
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != artifact.ManifestName && (!plan.Wants(name) || !e.Type().IsRegular()):
			return nil
		}
		data, err := fs.ReadFile(dir, name)
		files = append(files, artifact.File{Path: name, Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return artifact.Listed(files, plan.Wants)
}

// bundleInGit reads REV:PATH. A path is relative to the current directory, as everywhere else.
func bundleInGit(name, rev, inside string) (*plan.Bundle, error) {
	if strings.HasPrefix(rev, "-") {
		return nil, usageError{fmt.Sprintf("plan: %q is no revision", rev)}
	}
	if !strings.HasPrefix(inside, "/") && !strings.HasPrefix(inside, "./") && !strings.HasPrefix(inside, "../") {
		inside = "./" + inside
	}
	object := rev + ":" + strings.TrimPrefix(inside, "/")
	kind, err := git("cat-file", "-t", object)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", name, err)
	}
	single := strings.TrimSpace(string(kind)) == "blob"
	tree := object
	if single {
		tree = rev + ":" + path.Dir(strings.TrimPrefix(inside, "/"))
		if !strings.HasPrefix(inside, "/") {
			tree = rev + ":./" + path.Dir(inside)
		}
	}
	files, err := archive(tree)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", name, err)
	}
	if single || !slices.ContainsFunc(files, func(f artifact.File) bool { return f.Path == artifact.ManifestName }) {
		spec := ""
		if single {
			spec = path.Base(inside)
		}
		files, err = compileElsewhere(files, spec)
	} else {
		files, err = artifact.Listed(files, plan.Wants)
	}
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", name, err)
	}
	b, err := plan.Read(files)
	if err != nil {
		return nil, fmt.Errorf("plan: %s: %w", name, err)
	}
	return b, nil
}

// compileElsewhere compiles a spec of a revision: its directory is written to a temporary one, where Load can read it.
func compileElsewhere(files []artifact.File, spec string) ([]artifact.File, error) {
	dir, err := os.MkdirTemp("", "skep-plan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, f := range files {
		at := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(at, f.Data, 0o600); err != nil {
			return nil, err
		}
	}
	c, err := schema.Load(filepath.Join(dir, spec))
	if err != nil {
		return nil, err
	}
	return generators.Generate(c)
}

// archive returns the files of a tree, in memory. git would look for the current directory in the tree, so it is called
// from the top of the repository, by the tree's own name.
func archive(tree string) ([]artifact.File, error) {
	id, err := git("rev-parse", "--verify", "--end-of-options", tree)
	if err != nil {
		return nil, err
	}
	top, err := git("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	packed, err := git("-C", strings.TrimRight(string(top), "\n"), "archive", "--format=tar", strings.TrimSpace(string(id)))
	if err != nil {
		return nil, err
	}
	return unpack(packed)
}

// unpack returns the files of a tar archive, in memory.
func unpack(packed []byte) ([]artifact.File, error) {
	var files []artifact.File
	r := tar.NewReader(bytes.NewReader(packed))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files = append(files, artifact.File{Path: h.Name, Mode: 0o644, Data: data})
	}
}

func git(args ...string) ([]byte, error) {
	out, err := exec.Command("git", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("git: %s", strings.TrimSpace(strings.ReplaceAll(string(exit.Stderr), "\n", " ")))
	}
	return out, err
}
