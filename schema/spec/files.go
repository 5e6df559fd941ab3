package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Known is a file system whose files have other names for the reader of a message, such as REVISION:PATH.
type Known interface {
	fs.FS
	Known(name string) string
}

// files is the file system that a spec is in.
type files struct {
	fs.FS
	limit int64                      // bytes of a spec
	lock  func(finding.Finding) bool // what of a lock's mistakes is passed over
}

// Which mistakes of a lock are passed over.
func fittingLock(finding.Finding) bool { return false }
func anyLock(finding.Finding) bool     { return true }

// known gives a file the name that messages use, on one line.
func (f files) known(name string) string {
	if k, ok := f.FS.(Known); ok {
		name = k.Known(name)
	}
	return written.Quoted(name)
}

// disk is a directory of this machine.
type disk struct {
	dirFS
	root string // absolute
	wd   string // the working directory, or "" when it was removed: names stay absolute
}

// dirFS asks for files without opening them: a pipe would wait for ever.
type dirFS interface {
	fs.StatFS
	fs.ReadFileFS
	fs.ReadDirFS
}

// onDisk finds the file system for a path: the module that it is part of, or else its directory.
func onDisk(file string) (on disk, name string, err error) {
	info, err := os.Stat(file)
	if err != nil {
		if _, dangling := os.Lstat(file); dangling == nil && errors.Is(err, fs.ErrNotExist) {
			return on, "", &InputError{Path: file, Text: "is a link to nothing", Err: err}
		}
		if file == "-" {
			return on, "", &InputError{Path: file, Text: "is not a file; vet alone reads a spec from stdin", Err: err}
		}
		return on, "", unreadable(file, err)
	}
	at, err := filepath.Abs(file)
	if err != nil {
		return on, "", unreadable(file, err)
	}
	dir := at
	if !info.IsDir() {
		dir = filepath.Dir(at)
	}
	on.root = dir
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "cue.mod", "module.cue")); err == nil {
			on.root = d
			break
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	if on.wd, err = os.Getwd(); err != nil {
		on.wd = ""
	}
	on.dirFS = os.DirFS(on.root).(dirFS) // as it is documented
	rel, err := filepath.Rel(on.root, at)
	return on, filepath.ToSlash(rel), err
}

// Known gives a file's name as the user would type it in the working directory.
func (d disk) Known(name string) string {
	file := filepath.Join(d.root, filepath.FromSlash(name))
	if d.wd != "" {
		if rel, err := filepath.Rel(d.wd, file); err == nil {
			return rel
		}
	}
	return file
}

// unreadable turns an error of the file system into one clear line.
func unreadable(name string, err error) error {
	text := err.Error()
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		text = pathError.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "no such file or directory"
	case errors.Is(err, fs.ErrPermission):
		text = "may not be read (permission denied)"
	}
	return &InputError{Path: name, Text: text, Err: err}
}

// readAll refuses a file over the limit before a byte of it is read, and one with nothing in it.
func (f files) readAll(name string) ([]byte, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, unreadable(f.known(name), err)
	}
	if info.Size() == 0 {
		return nil, &InputError{Path: f.known(name), Text: "is empty"}
	}
	if info.Size() > f.limit {
		return nil, &InputError{Path: f.known(name), Text: fmt.Sprintf("has %d MB, more than the %d MB that skep reads; 10,000 nodes need about 1 MB", info.Size()>>20, f.limit>>20)}
	}
	b, err := fs.ReadFile(f.FS, name)
	if err != nil {
		return nil, unreadable(f.known(name), err)
	}
	return bytes.TrimPrefix(b, []byte("\ufeff")), nil
}

// moduleRoot finds the directory at or above dir that has a cue.mod/module.cue, or returns dir itself.
func (f files) moduleRoot(dir string) (root string, found bool) {
	for d := dir; ; d = path.Dir(d) {
		if _, err := fs.Stat(f.FS, path.Join(d, moduleFile)); err == nil {
			return d, true
		}
		if d == path.Dir(d) {
			return dir, false
		}
	}
}
