// Package spec reads what a user wrote about a cluster: from files, over their evaluation with the schema and every check,
// to a cluster, or to all mistakes at once.
package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/check"
	"skep.dev/schema/finding"
	"skep.dev/schema/lock"
	"skep.dev/schema/mistakes"
	"skep.dev/schema/stacks"
	"skep.dev/schema/written"
)

// Limits bound what one spec may cost before it is evaluated. CUE cannot be interrupted: whoever takes specs from strangers
// has to bound the time and memory of the process.
type Limits struct {
	Bytes int64 // size of the spec's files
}

// DefaultLimits are ample for 10,000 nodes, which have about 1 MB.
func DefaultLimits() Limits { return Limits{Bytes: 32 << 20} }

// Load reads a spec and checks it against the schema. A spec is a directory that holds one CUE package, or a file that
// ends in .cue, .yaml, .yml or .json; its fields stand at the top or below one field "cluster".
// The error is an *InputError when the spec could not be read, and a finding.List when it could but is wrong.
// The second result tells where the fields stand, by names of files relative to the working directory.
func Load(file string) (*schema.Cluster, *written.Spec, error) {
	on, name, err := onDisk(file)
	if err != nil {
		return nil, nil, err
	}
	c, s, err := LoadFS(on, name, DefaultLimits())
	var input *InputError
	if errors.As(err, &input) && input.Path == on.Known(name) {
		input.Path = file // as it was typed
	}
	return c, s, err
}

// LoadUnlocked is Load for a spec whose lock may not fit any more: what the lock lacks has no digest, and nothing is said
// about what only the lock has. One that cannot be read is a mistake all the same.
func LoadUnlocked(file string) (*schema.Cluster, *written.Spec, error) {
	c, s, err := Load(file)
	var found finding.List
	if !errors.As(err, &found) {
		return c, s, err
	}
	on, name, err := onDisk(file)
	if err != nil {
		return nil, nil, err
	}
	f := files{on, DefaultLimits().Bytes, anyLock}
	c, s, err = f.whole(name)
	return c, s, f.explained(name, err)
}

// LoadFS is Load for a spec in a file system, by its path there. It depends on nothing outside of that, keeps nothing and
// leaves nothing running. Files that the spec imports must be in the file system, too.
// Messages name files by their paths in the file system, unless that is Known.
func LoadFS(fsys fs.FS, name string, limits Limits) (c *schema.Cluster, s *written.Spec, err error) {
	f := files{fsys, limits.Bytes, fittingLock}
	name = path.Clean(name)
	defer func() {
		if p := recover(); p != nil {
			c, s, err = nil, nil, &InputError{Path: f.known(name), Text: fmt.Sprintf("schema: the evaluator stopped: %v", p)}
		}
	}()
	if c, s = f.quick(name); c == nil {
		c, s, err = f.whole(name)
	}
	if err != nil {
		return nil, nil, f.explained(name, err)
	}
	s.Unread = f.unread(name)
	return c, s, nil
}

// whole loads any spec, and finds all of its mistakes.
func (f files) whole(name string) (*schema.Cluster, *written.Spec, error) {
	source, err := f.read(name)
	if err != nil {
		return nil, nil, err
	}
	r := newReader(source)
	c, err := r.cluster(f, name)
	if len(source.odd) > 0 {
		return nil, nil, source.odd.With(err)
	}
	if err != nil {
		return nil, nil, err
	}
	return c, r.spec, nil
}

// explained puts better words for syntax errors, which only the text of a file can tell.
func (f files) explained(name string, err error) error {
	var found finding.List
	if !errors.As(err, &found) {
		return err
	}
	names := []string{name}
	if entries, err := fs.ReadDir(f.FS, name); err == nil {
		for _, e := range entries {
			names = append(names, path.Join(name, e.Name()))
		}
	}
	var out finding.List
	for len(found) > 0 {
		file, n := found[0].File, 1
		for n < len(found) && found[n].File == file {
			n++
		}
		part := found[:n]
		found = found[n:]
		if i := slices.IndexFunc(names, func(name string) bool { return f.known(name) == file }); i >= 0 {
			part = f.reworded(names[i], part)
		}
		out = append(out, part...)
	}
	return out
}

// reworded is explained for one file.
func (f files) reworded(name string, found finding.List) finding.List {
	b, err := f.readAll(name)
	if err != nil {
		return found
	}
	switch path.Ext(name) {
	case ".cue":
		return mistakes.Habits(string(b), found)
	case ".yaml", ".yml":
		return placed(string(b), found)
	}
	return found
}

// cluster gives the cluster, or all mistakes of the spec.
func (r *reader) cluster(f files, name string) (*schema.Cluster, error) {
	v, err := r.evaluate()
	if err != nil {
		return nil, err
	}
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, err
	}
	c, err := schema.Decode(b)
	if err != nil {
		return nil, err
	}
	found, err := f.found(name, c, r.spec)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, found
	}
	c.MoveIntoMesh()
	return c, nil
}

// found gives the mistakes of a cluster that the schema accepts. It adds the rows of the users' stacks, whose files are
// below the spec's directory, and the lock that stands there.
func (f files) found(name string, c *schema.Cluster, s *written.Spec) (finding.List, error) {
	dir := name
	if info, err := fs.Stat(f.FS, name); err == nil && !info.IsDir() {
		dir = path.Dir(name)
	}
	below, err := fs.Sub(f.FS, dir)
	if err != nil {
		return nil, err
	}
	known := func(file string) string { return f.known(path.Join(dir, file)) }
	found := stacks.Add(c, s, below, known)
	locked, wrong := lock.Read(below, known)
	if found = append(found, wrong...); len(found) == 0 { // else some images may not be known
		found = slices.DeleteFunc(locked.Join(c), f.lock)
	}
	return append(found, check.Find(c, s)...).Ordered(), nil
}

// InputError says that a spec could not be read, or not within the limits: nothing is known about its mistakes.
// Load returns it, and never a finding.List, for a missing or unreadable file, a directory without a CUE package, a file of
// an unknown kind, and a spec that is too large. Err is the cause where there is one, else nil.
type InputError struct {
	Path string // as the user named it
	Text string
	Err  error
}

// Error gives one line.
func (e *InputError) Error() string { return written.Quoted(e.Path) + ": " + written.Quoted(e.Text) }

// Unwrap gives the cause, so that errors.Is(err, fs.ErrNotExist) works.
func (e *InputError) Unwrap() error { return e.Err }
