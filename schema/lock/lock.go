// Package lock reads images.lock, which stands beside a spec and says which image each name in it stands for, and compares
// it with the cluster.
package lock

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Form is what its field schema says.
const Form = "skep.dev/images/v1"

// maxBytes is enough for some thousand images.
const maxBytes = 4 << 20

// Lock is images.lock as it was read, with the places of its entries.
type Lock struct {
	file    string
	entries []entry
}

// entry is one image of the lock.
type entry struct {
	place
	image     string
	locked    schema.Locked
	platforms map[string]place
}

// place is where something stands in the lock, and its path there.
type place struct {
	line, column int
	path         string
}

// Read reads the lock at the root of a file system; there need be none. Known gives a file the name that messages use.
func Read(fsys fs.FS, known func(string) string) (*Lock, finding.List) {
	info, err := fs.Stat(fsys, schema.LockFile)
	if err != nil && !isListed(fsys) {
		return nil, nil
	}
	r := &reader{file: known(schema.LockFile)}
	top := place{line: 1, column: 1}
	switch {
	case err != nil:
		r.say(top, "", "is a link to nothing, or may not be read")
	case !info.Mode().IsRegular():
		r.say(top, "", "is not a regular file")
	case info.Size() > maxBytes:
		r.say(top, "", fmt.Sprintf("has %d MB, more than the %d MB that skep reads", info.Size()>>20, maxBytes>>20))
	default:
		text, err := fs.ReadFile(fsys, schema.LockFile)
		if err != nil {
			r.say(top, "", "cannot be read")
			break
		}
		r.lock(text)
	}
	return &Lock{r.file, r.entries}, r.found
}

// isListed reports whether there is a lock that cannot be opened: a lock that is passed over lets tags decide.
func isListed(fsys fs.FS) bool {
	entries, _ := fs.ReadDir(fsys, ".")
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == schema.LockFile })
}

// Join gives the lock to a cluster whose images are known. It returns what does not fit: the lock holds what the cluster
// uses, and nothing else.
func (l *Lock) Join(c *schema.Cluster) finding.List {
	if l == nil {
		return nil
	}
	j := &joiner{Lock: l, cluster: c, groups: c.PlatformsOf(), uses: map[string][]schema.Image{}}
	for _, i := range c.Rows.Images {
		name := schema.LockName(i.Image)
		j.uses[name] = append(j.uses[name], i)
	}
	c.Lock = schema.Lock{}
	for _, e := range l.entries {
		c.Lock[e.image] = e.locked
		j.entry(e)
	}
	for _, name := range slices.Sorted(maps.Keys(j.uses)) {
		if _, locked := c.Lock[name]; !locked {
			j.say(finding.ImageDigest, place{line: 1, column: 1, path: "images"}, name, "has no entry, and "+j.uses[name][0].Field+" names it: add one, or remove the lock")
		}
	}
	return j.found.Ordered()
}

// joiner compares a lock with a cluster.
type joiner struct {
	*Lock
	cluster *schema.Cluster
	groups  map[string]map[string]string // first nodes, by platform, by group of nodes
	uses    map[string][]schema.Image    // by name in a lock
	found   finding.List
}

func (j *joiner) say(id finding.ID, at place, got, text string) {
	if got != "" {
		got = fmt.Sprintf("%q", got)
	}
	j.found = append(j.found, finding.Finding{ID: id, Level: finding.Mistake, File: j.file, Line: at.line, Column: at.column, Path: at.path, Got: got, Text: text})
}

func (j *joiner) entry(e entry) {
	uses := j.uses[e.image]
	if len(uses) == 0 {
		j.say(finding.LockStale, e.place, e.image, "is not an image that the spec uses: remove it")
		return
	}
	for _, use := range uses {
		if _, digest, ok := strings.Cut(use.Image, "@"); ok && digest != e.locked.Index {
			j.say(finding.LockStale, e.place, e.image, "has another digest than "+use.Field+", which is "+digest)
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(e.platforms)) {
		if j.groups["all"][platform] == "" {
			j.say(finding.LockStale, e.platforms[platform], "", "no node is "+platform+": remove it, or say so in nodes.*.platform")
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(j.groups["all"])) {
		if _, ok := e.platforms[platform]; ok {
			continue
		}
		for _, use := range uses {
			if node := j.groups[use.Nodes][platform]; node != "" {
				j.say(finding.ImageDigest, e.place, e.image, "has no "+platform+", and "+node+" needs it")
				break
			}
		}
	}
}
