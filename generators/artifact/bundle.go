package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind says how a file on disk differs from the file that the bundle should hold.
type Kind string

// The kinds of difference. The last three are not skep's own doing.
const (
	Added      Kind = "added"      // the bundle should have it, and has not
	Changed    Kind = "changed"    // as an earlier build left it
	Removed    Kind = "removed"    // of an earlier build, and no longer wanted
	Mode       Kind = "mode"       // right content, but run where it should not be, or not where it should
	Unfinished Kind = "unfinished" // what an interrupted build left
	Edited     Kind = "edited"     // of an earlier build, and changed since by someone else
	Foreign    Kind = "foreign"    // not of skep, and in the place of a file of the bundle or in a folder of its files
)

// Difference is one file that is not as it should be. Note tells more where there is more to tell.
type Difference struct {
	Path string `json:"path"` // slash-separated, relative to the bundle's root; "." is the bundle itself
	Kind Kind   `json:"kind"`
	Note string `json:"note,omitempty"`
}

// Refusal is the error of a write that would have lost something which skep cannot make again.
type Refusal struct {
	Dir     string
	Because []Difference // all that stands in the way, sorted by path
}

// Error gives one line for each difference in the way.
func (r Refusal) Error() string {
	lines := make([]string, len(r.Because))
	for i, d := range r.Because {
		lines[i] = filepath.Join(r.Dir, filepath.FromSlash(d.Path)) + ": " + d.why()
	}
	return strings.Join(lines, "\n")
}

// why says in words what forbids to write.
func (d Difference) why() string {
	var words []string
	if d.Note != "" {
		words = append(words, d.Note)
	}
	switch {
	case d.Path == ".":
	case d.Kind == Foreign:
		words = append(words, "not written by skep, and in the way")
	case d.Kind == Edited && d.Path != ManifestName:
		words = append(words, "edited since skep wrote it")
	}
	return strings.Join(words, ", ")
}

// Report is what a write did.
type Report struct {
	Files       int          // in the bundle, with its MANIFEST
	Differences []Difference // found before, and gone now
	Foreign     []Difference // not written by skep, in a folder of its files: left alone, and refused by runbook.sh
}

// Diff compares the bundle in dir with what it should hold, files and their MANIFEST, and changes nothing.
// The differences are sorted by path. A directory that does not exist lacks every file. A folder that holds files of the
// bundle is skep's alone: what else lies there is a difference too.
func Diff(dir string, files []File) ([]Difference, error) {
	files, err := withManifest(files)
	if err != nil {
		return nil, err
	}
	exists, err := isDirectory(dir)
	if err != nil {
		return nil, err
	}
	if !exists {
		all := make([]Difference, len(files))
		for i, f := range files {
			all[i] = Difference{Path: f.Path, Kind: Added}
		}
		return all, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s, err := look(root, files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return slices.SortedFunc(slices.Values(slices.Concat(s.differences, s.foreign)), byPath), nil
}

// Beside returns the names in the bundle's own directory that skep did not write, sorted. Nothing reads them. What git
// keeps there is left out.
func Beside(dir string, files []File) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	known := owned{}
	if list, err := os.ReadFile(filepath.Join(dir, ManifestName)); err == nil {
		_ = known.add(list) // a line that is wrong is a difference, and told as one
	}
	for _, f := range files {
		known[f.Path] = nil
	}
	own := map[string]bool{ManifestName: true, workName: true}
	for path := range known {
		top, _, _ := strings.Cut(path, "/")
		own[top] = true
	}
	var names []string
	for _, e := range entries {
		if !own[e.Name()] && !strings.HasPrefix(e.Name(), ".git") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Write makes dir hold exactly the files and their MANIFEST, beside whatever else is in it. Files that are right
// already are left alone, and of the others only those are replaced or deleted which an earlier write made: it gives
// a Refusal and changes nothing when one of them was edited since, when something else stands in its place, and when
// dir holds files but no MANIFEST. When a write is interrupted, the next one completes or replaces it.
func Write(dir string, files []File) (Report, error) {
	return write(dir, files, keepEdits, nil)
}

// Overwrite is Write that gives up what was edited since the last write. It refuses all the rest.
func Overwrite(dir string, files []File) (Report, error) {
	return write(dir, files, discardEdits, nil)
}

// edits says what to do with a file that was edited.
type edits int

const (
	keepEdits edits = iota
	discardEdits
)

// write is Write; pause is called before each change of the disk, and ends the write when it gives an error.
func write(dir string, files []File, policy edits, pause func() error) (Report, error) {
	files, err := withManifest(files)
	if err != nil {
		return Report{}, err
	}
	exists, err := isDirectory(dir)
	if err != nil {
		return Report{}, err
	}
	if !exists {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return Report{}, err
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Report{}, err
	}
	defer root.Close()
	unlock, err := lock(root)
	if errors.Is(err, errLocked) {
		return Report{}, Refusal{dir, []Difference{{".", Foreign, "another skep is writing here"}}}
	}
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	defer unlock()
	s, err := look(root, files)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	if because := s.refuse(policy); len(because) > 0 {
		return Report{}, Refusal{dir, because}
	}
	if err := (disk{root, pause}).apply(s); err != nil {
		return Report{}, fmt.Errorf("%s: %w", dir, err)
	}
	return Report{Files: len(files), Differences: s.differences, Foreign: s.foreign}, nil
}

// isDirectory tells whether dir exists, and refuses what is not a directory.
func isDirectory(dir string) (bool, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, Refusal{dir, []Difference{{".", Foreign, "is a file; want a directory"}}}
	}
	return true, nil
}
