package artifact

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// state is a bundle on disk as compared with what it should hold.
type state struct {
	differences []Difference
	foreign     []Difference // in folders of skep's files, and in nobody's way
	known       owned        // by MANIFEST, and by the journal of an interrupted write
	put         []File       // content to be written
	chmod       []File       // content right, mode wrong
	stale       []string     // to be deleted, with the directories that are empty then
	work        bool         // there is a work directory
}

// look compares what is below root with files. It follows no symbolic link and opens only what is a regular file.
func look(root *os.Root, files []File) (*state, error) {
	s := &state{known: owned{}}
	at := finder{root, map[string]found{}}
	if err := s.readRecords(at); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, f := range files {
		wanted[f.Path] = true
		if err := s.compare(at, f); err != nil {
			return nil, err
		}
	}
	for path := range s.known {
		if !wanted[path] {
			if err := s.compareStale(at, path); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(s.stale)
	slices.SortFunc(s.differences, byPath)
	s.differences = slices.Compact(s.differences) // several files may have found the same thing in their way
	return s, s.findForeign(root, wanted)
}

func byPath(a, b Difference) int { return strings.Compare(a.Path, b.Path) }

// findForeign looks through the folders at the top of the bundle for what is neither wanted nor noted already.
func (s *state) findForeign(root *os.Root, wanted map[string]bool) error {
	skip := maps.Clone(wanted)
	for _, d := range s.differences {
		skip[d.Path] = true
	}
	tops := map[string]bool{}
	for path := range wanted {
		if top, _, below := strings.Cut(path, "/"); below && !skip[top] {
			tops[top] = true
		}
	}
	for _, top := range slices.Sorted(maps.Keys(tops)) {
		err := fs.WalkDir(root.FS(), top, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !e.IsDir() && !skip[path] {
				s.foreign = append(s.foreign, Difference{path, Foreign, ""})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(s.foreign, byPath)
	return nil
}

// readRecords learns from MANIFEST and journal which files are skep's. A record that cannot be trusted is a
// difference that forbids to write.
func (s *state) readRecords(at finder) error {
	work, err := at.find(workName)
	if err != nil {
		return err
	}
	switch work.what {
	case directory:
		s.work = true
		s.note(workName, Unfinished, "an interrupted build")
		if _, err := s.readRecord(at, journalName); err != nil {
			return err
		}
	case absent:
	default:
		s.note(workName, Foreign, work.note)
	}
	if err := s.readFormat(at); err != nil {
		return err
	}
	found, err := s.readRecord(at, ManifestName)
	if err != nil || found || len(s.known) > 0 {
		return err
	}
	entries, err := fs.ReadDir(at.root.FS(), ".")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != workName && e.Name() != ManifestName }) {
		s.note(".", Foreign, "not empty, and without a MANIFEST: not a bundle of skep")
	}
	return nil
}

// readFormat notes a form of a later skep, whose files this one would take for strangers or leave behind.
func (s *state) readFormat(at finder) error {
	format, err := at.find(FormatName)
	if err != nil || format.what != regular {
		return err
	}
	data, err := at.root.ReadFile(FormatName)
	if err != nil {
		return err
	}
	if err := checkFormat(data); err != nil {
		s.note(".", Foreign, err.Error())
	}
	return nil
}

// readRecord adds one list of digests to what is known and tells whether it is there.
func (s *state) readRecord(at finder, path string) (bool, error) {
	record, err := at.find(path)
	if err != nil || record.what != regular {
		return false, err
	}
	list, err := at.root.ReadFile(path)
	if err != nil {
		return false, err
	}
	lines := owned{}
	if err := lines.add(list); err != nil {
		s.note(path, Edited, err.Error())
	}
	for path, sums := range lines {
		s.known[path] = append(s.known[path], sums...)
	}
	return true, nil
}

// compare finds out what must be done for one file of the bundle.
func (s *state) compare(at finder, f File) error {
	got, err := at.find(f.Path)
	if err != nil {
		return err
	}
	switch {
	case got.what == absent:
		s.note(f.Path, Added, "")
	case got.what != regular:
		s.note(got.path, Foreign, got.note)
	case got.sum == sha256.Sum256(f.Data):
		if !sameMode(got.mode, f.Mode) {
			s.note(f.Path, Mode, "want "+f.Mode.String())
			s.chmod = append(s.chmod, f)
		}
		return nil
	case f.Path == ManifestName:
		if !s.noted(ManifestName) {
			s.note(ManifestName, Changed, "")
		}
	case s.known.has(f.Path, got.sum):
		s.note(f.Path, Changed, "")
	case s.known[f.Path] != nil:
		s.note(f.Path, Edited, "")
	default:
		s.note(f.Path, Foreign, "")
	}
	s.put = append(s.put, f)
	return nil
}

// compareStale finds out what must be done for a file that skep wrote and the bundle should no longer hold.
// What is no longer a regular file is no longer skep's, and in nobody's way. A file that is gone already is still
// stale: an interrupted write may have left its directory.
func (s *state) compareStale(at finder, path string) error {
	got, err := at.find(path)
	if err != nil || (got.what != regular && got.what != absent) {
		return err
	}
	switch {
	case got.what == absent:
	case s.known.has(path, got.sum):
		s.note(path, Removed, "")
	default:
		s.note(path, Edited, "no longer wanted")
	}
	s.stale = append(s.stale, path)
	return nil
}

func (s *state) note(path string, kind Kind, note string) {
	s.differences = append(s.differences, Difference{path, kind, note})
}

func (s *state) noted(path string) bool {
	return slices.ContainsFunc(s.differences, func(d Difference) bool { return d.Path == path })
}

// refuse is what forbids to write.
func (s *state) refuse(policy edits) []Difference {
	var because []Difference
	for _, d := range s.differences {
		if d.Kind == Foreign || (d.Kind == Edited && policy == keepEdits) {
			because = append(because, d)
		}
	}
	return because
}

// what is at a path.
type what int

const (
	absent what = iota
	regular
	directory
	other
)

// found is what find found. When something other than a directory stands above a path, it is found instead.
type found struct {
	what what
	path string
	note string
	sum  digest
	mode fs.FileMode
}

// finder looks at paths below root without following a symbolic link, and at each directory above them once.
type finder struct {
	root *os.Root
	dirs map[string]found
}

func (f finder) find(path string) (found, error) {
	for dir := range parents(path) {
		at, seen := f.dirs[dir]
		if !seen {
			var err error
			if at, err = f.kind(dir); err != nil {
				return found{}, err
			}
			f.dirs[dir] = at
		}
		switch at.what {
		case directory:
		case absent:
			return found{what: absent, path: path}, nil
		default:
			return found{what: other, path: dir, note: at.note}, nil
		}
	}
	at, err := f.kind(path)
	if err == nil && at.what == regular {
		at.sum, err = digestOf(f.root, path)
	}
	return at, err
}

// kind tells what is at a path below directories.
func (f finder) kind(path string) (found, error) {
	info, err := f.root.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found{what: absent, path: path}, nil
	case err != nil:
		return found{}, err
	case info.IsDir():
		return found{what: directory, path: path, note: "a directory"}, nil
	case info.Mode().IsRegular():
		return found{what: regular, path: path, note: "a file", mode: info.Mode().Perm()}, nil
	}
	return found{what: other, path: path, note: describe(info.Mode())}, nil
}

func describe(mode fs.FileMode) string {
	if mode&fs.ModeSymlink != 0 {
		return "a symbolic link"
	}
	return "a special file"
}

func digestOf(root *os.Root, path string) (digest, error) {
	f, err := root.Open(path)
	if err != nil {
		return digest{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return digest{}, err
	}
	return digest(h.Sum(nil)), nil
}

// sameMode compares what git keeps of a mode, since a checkout gives the rest by the umask; but what anyone may
// write is never right, for root runs it.
func sameMode(got, want fs.FileMode) bool {
	return got&0o100 == want&0o100 && got&0o002 == 0
}
