package artifact

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A write is made so that it can be killed anywhere:
//
//  1. All new content is written into the work directory; the bundle is as it was.
//  2. The journal is put in place, which lists every digest that may from now on stand in the bundle. The next write
//     reads it beside MANIFEST, so that a half-written bundle is known as skep's own and not taken for an edited one.
//  3. Stale files are deleted and new ones renamed into their place. `sha256sum -c MANIFEST` fails meanwhile.
//  4. The new MANIFEST is renamed into place: the bundle is the new one. The work directory is removed.
//
// Nothing waits for the disk: it would cost more than all the rest of a build, and after a loss of power `--check` tells
// what is amiss, and one build mends it.
const (
	workName    = ".skep-build"
	journalName = workName + "/journal"
)

// disk is a bundle's directory that is being changed. All changes go through its methods, and pause before each
// lets a test kill the write there.
type disk struct {
	root  *os.Root
	pause func() error
}

// do makes one change.
func (d disk) do(change func() error) error {
	if d.pause != nil {
		if err := d.pause(); err != nil {
			return err
		}
	}
	return change()
}

// apply makes the bundle what it should be.
func (d disk) apply(s *state) error {
	if len(s.differences) == 0 {
		return nil
	}
	if err := d.stage(s); err != nil {
		if !s.work {
			_ = d.clean() // nothing of the bundle has changed yet; the first error is the one to tell
		}
		return err
	}
	if err := d.swap(s); err != nil {
		return err
	}
	return d.clean()
}

func (d disk) clean() error {
	return d.do(func() error { return d.root.RemoveAll(workName) })
}

// staged is the name of the i-th new file before it has its place.
func staged(i int) string { return workName + "/" + strconv.Itoa(i) }

// stage does steps 1 and 2.
func (d disk) stage(s *state) error {
	modes, err := d.mkdir(workName)
	if err != nil {
		return err
	}
	work, err := d.root.OpenRoot(workName)
	if err != nil {
		return err
	}
	defer work.Close()
	w := disk{work, d.pause}
	for i, f := range s.put {
		if err := w.create(strconv.Itoa(i), f, modes); err != nil {
			return err
		}
		s.known[f.Path] = append(s.known[f.Path], sha256.Sum256(f.Data))
	}
	var journal strings.Builder
	for _, path := range slices.Sorted(maps.Keys(s.known)) {
		for _, sum := range s.known[path] {
			if path != ManifestName {
				journal.WriteString(manifestLine(sum, path))
			}
		}
	}
	if err := w.create("next", File{Mode: 0o644, Data: []byte(journal.String())}, modes); err != nil {
		return err
	}
	return d.rename(workName+"/next", journalName)
}

// swap does steps 3 and 4.
func (d disk) swap(s *state) error {
	touched := map[string]bool{".": true}
	for _, p := range s.stale {
		if err := d.remove(p); err != nil {
			return err
		}
	}
	for _, f := range s.chmod {
		if err := d.do(func() error { return d.root.Chmod(f.Path, f.Mode) }); err != nil {
			return err
		}
	}
	manifest := -1
	for i, f := range s.put {
		if f.Path == ManifestName {
			manifest = i
			continue
		}
		for dir := range parents(f.Path) {
			if touched[dir] {
				continue
			}
			touched[dir] = true
			if _, err := d.mkdir(dir); err != nil {
				return err
			}
		}
		if err := d.rename(staged(i), f.Path); err != nil {
			return err
		}
	}
	if manifest < 0 {
		return nil
	}
	return d.rename(staged(manifest), ManifestName)
}

// modes says who sets the mode of a new file.
type modes int

const (
	setModes  modes = iota // we do: the umask may take some of it away
	keptModes              // who makes the file: the umask takes nothing away
)

// create writes a new file of the work directory.
func (d disk) create(name string, file File, modes modes) error {
	var f *os.File
	err := d.do(func() (err error) {
		f, err = d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.Mode)
		if errors.Is(err, fs.ErrExist) { // left by an interrupted write
			if err := d.root.Remove(name); err != nil {
				return err
			}
			f, err = d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.Mode)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = d.do(func() error {
		_, err := f.Write(file.Data)
		if modes == setModes {
			err = errors.Join(err, f.Chmod(file.Mode))
		}
		return err
	})
	return errors.Join(err, f.Close())
}

func (d disk) rename(from, to string) error {
	return d.do(func() error { return d.root.Rename(from, to) })
}

// mkdir makes a directory, whatever the umask is, and tells whether files keep the modes that they are made with.
func (d disk) mkdir(dir string) (kept modes, err error) {
	err = d.do(func() error {
		err := d.root.Mkdir(dir, 0o755)
		if errors.Is(err, fs.ErrExist) {
			return nil // look saw a directory there
		}
		if err != nil {
			return err
		}
		info, err := d.root.Lstat(dir)
		if err == nil && info.Mode().Perm() == 0o755 {
			kept = keptModes
			return nil
		}
		return errors.Join(err, d.root.Chmod(dir, 0o755))
	})
	return kept, err
}

// remove deletes a file, and the directories above it that are empty then.
func (d disk) remove(p string) error {
	if err := d.do(func() error { return d.root.Remove(p) }); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		entries, err := fs.ReadDir(d.root.FS(), dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(entries) > 0 {
			return err
		}
		if err := d.do(func() error { return d.root.Remove(dir) }); err != nil {
			return err
		}
	}
	return nil
}
