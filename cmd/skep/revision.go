package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"skep.dev/generators/artifact"
)

// revision is a path in a revision of the git repository around the current directory.
type revision struct {
	rev    string // as the user named it
	typed  string // REV:PATH, likewise
	prefix string // the current directory in the repository
	path   string // from the top of the repository; "." for the top
	isFile bool
}

// openRevision finds REV:PATH. A path is relative to the current directory, as everywhere else; one that begins with a
// slash is relative to the top of the repository.
func openRevision(rev, inside string) (*revision, error) {
	r := &revision{rev: rev, typed: rev + ":" + inside}
	if strings.HasPrefix(rev, "-") {
		return nil, usageError{fmt.Sprintf("plan: %q is not a git revision", rev)}
	}
	prefix, err := r.git(nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	r.prefix = strings.TrimRight(string(prefix), "\n")
	r.path = path.Join(r.prefix, inside)
	if strings.HasPrefix(inside, "/") {
		r.path = path.Clean(strings.TrimPrefix(inside, "/"))
	}
	if r.path == "" || !filepath.IsLocal(r.path) {
		return nil, fmt.Errorf("plan: %s: is outside of the repository", r.typed)
	}
	kind, err := r.git(nil, "cat-file", "-t", r.object(r.path))
	r.isFile = strings.TrimSpace(string(kind)) == "blob"
	return r, err
}

// object is git's name of a path in the revision.
func (r *revision) object(at string) string {
	if at == "." {
		return r.rev + ":"
	}
	return r.rev + ":" + at
}

// name is what the user would type for a path of the repository.
func (r *revision) name(at string) string {
	if strings.HasPrefix(strings.TrimPrefix(r.typed, r.rev+":"), "/") {
		return r.rev + ":/" + at
	}
	if rel, err := filepath.Rel(filepath.FromSlash(path.Clean(r.prefix)), filepath.FromSlash(at)); err == nil {
		at = filepath.ToSlash(rel)
	}
	return r.rev + ":" + at
}

// moduleRoot finds the directory above dir that has a cue.mod/module.cue, or returns dir itself.
func (r *revision) moduleRoot(dir string) (string, error) {
	for d := dir; ; d = path.Dir(d) {
		found, err := r.git(nil, "ls-tree", "--full-tree", "--name-only", r.rev, path.Join(d, "cue.mod/module.cue"))
		if err != nil || len(found) > 0 {
			return d, err
		}
		if d == "." {
			return dir, nil
		}
	}
}

// files reads the files below a directory that are wanted, by path from there and size. Links and submodules are left out.
func (r *revision) files(dir string, wanted func(path string, size int) bool) ([]artifact.File, error) {
	list, err := r.git(nil, "ls-tree", "-r", "-l", "-z", "--full-tree", r.object(dir))
	if err != nil {
		return nil, err
	}
	var files []artifact.File
	var ids bytes.Buffer
	for entry := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t") // "100644 blob ID SIZE"
		fields := strings.Fields(about)
		if len(fields) != 4 || !strings.HasPrefix(fields[0], "100") || !filepath.IsLocal(name) {
			continue
		}
		if size, err := strconv.Atoi(fields[3]); err == nil && wanted(name, size) {
			files = append(files, artifact.File{Path: name, Mode: 0o644})
			ids.WriteString(fields[2] + "\n")
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	contents, err := r.git(&ids, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return files, fill(files, bufio.NewReader(bytes.NewReader(contents)))
}

// fill gives files what cat-file --batch writes of them: a line that ends in the size, the content, and a newline.
func fill(files []artifact.File, contents *bufio.Reader) error {
	for i := range files {
		var id, kind string
		var size int
		if _, err := fmt.Fscanf(contents, "%s %s %d\n", &id, &kind, &size); err != nil {
			return fmt.Errorf("plan: git: %w", err)
		}
		files[i].Data = make([]byte, size)
		if _, err := io.ReadFull(contents, files[i].Data); err != nil {
			return fmt.Errorf("plan: git: %w", err)
		}
		if _, err := contents.Discard(1); err != nil {
			return fmt.Errorf("plan: git: %w", err)
		}
	}
	return nil
}

// git asks git something.
func (r *revision) git(stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Stdin = stdin
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New(strings.TrimSpace(strings.ReplaceAll(string(exit.Stderr), "\n", " ")))
	}
	if err != nil {
		return nil, fmt.Errorf("plan: %s: git: %w", r.typed, err)
	}
	return out, nil
}
