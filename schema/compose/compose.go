// Package compose reads the Compose files of users' stacks. What it reads is a function of the file system that it is given
// and of the values in the spec: no environment, no .env, no home directory, and no file of the machine that skep runs on.
package compose

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/finding"
)

// Request is what a spec says about a stack's Compose files.
type Request struct {
	Name     string            // the stack's
	Files    []string          // paths in the file system, the later over the earlier
	Values   map[string]string // of ${NAME}; nothing else is read
	Profiles []string          // those that are on, and "!NAME" for those that are off on purpose
}

// Project is a stack as its files say it: merged, extended, interpolated, without services whose profiles are off.
// Files in it are paths in the file system of Read; sources of mounts stand as they were written.
type Project struct {
	*types.Project
	Contents map[string][]byte   // of the files that configs name, by path
	Order    map[string][]string // the author's order of the names in each section: "services", "networks", ...
	Comments map[string]string   // what stands above a service or another entry, without its #, by path: "services.web"

	places *places
}

// Place is where a field stands ("services", "web", "ports", "0"), or the nearest above it. Line and column begin at 1.
func (p *Project) Place(path ...string) (file string, line, column int) {
	at := p.places.find(p.Project, path)
	return at.file, at.line, at.column
}

// Read reads a stack. Findings name the place in the Compose file, by known's name of the file; those about the spec itself
// have a Path ("stacks.shop.values.TAG") and no file. The project is nil when there is a mistake among them.
func Read(fsys fs.FS, known func(string) string, r Request) (project *Project, found finding.List) {
	return newReader(fsys, known, r).all()
}

func newReader(fsys fs.FS, known func(string) string, r Request) *reader {
	rd := &reader{fsys: fsys, known: known, request: r, parsed: map[string]*node{}, used: map[string]bool{}, missing: map[string]bool{}, bytes: maxBytes}
	// compose-go goes over all that it has merged again with each further file.
	rd.most = 2 * maxNodes / (1 + len(r.Files))
	rd.nodes = rd.most
	return rd
}

func (r *reader) all() (project *Project, found finding.List) {
	if len(r.request.Files) == 0 {
		r.saySpec(finding.NoComposeFile, "compose", "", "want the path of a Compose file")
		return nil, r.found
	}
	defer func() {
		if p := recover(); p != nil {
			r.say(finding.ComposeRule, r.start(), "", "", fmt.Sprintf("the reader of Compose files stopped: %v", p))
			project, found = nil, r.found.Ordered()
		}
	}()
	project = r.read()
	if r.mistaken() {
		project = nil
	}
	return project, r.found.Ordered()
}

// reader is one reading of one stack.
type reader struct {
	fsys    fs.FS
	known   func(string) string
	request Request
	parsed  map[string]*node // Compose files, by path
	used    map[string]bool  // variables that the files name
	missing map[string]bool  // those without a value
	quiet   bool             // whether what is missing does not matter here
	most    int              // nodes that the stack may have
	nodes   int              // how many more it may have
	bytes   int              // how many more its files may have
	found   finding.List
	wants   Wants // what the found mistakes ask the spec for
}

// sections are the top-level keys that become a stack.
var sections = []string{"services", "networks", "volumes", "configs", "secrets"}

func (r *reader) read() *Project {
	places := &places{lines: map[string]place{}, models: map[string]any{}, dir: path.Dir(path.Clean(r.request.Files[0]))}
	for i, name := range r.request.Files {
		name, ok := r.inside(".", name, r.fromSpec())
		if !ok {
			continue
		}
		root := r.file(name, r.fromSpec())
		if root == nil {
			continue
		}
		f := &file{name: name, number: i, root: root.copy(), dir: places.dir}
		r.sections(f)
		places.files = append(places.files, f)
	}
	if r.mistaken() {
		return nil
	}
	for _, f := range places.files {
		r.extends(f)
	}
	if r.mistaken() {
		return nil
	}
	r.interpolate(places)
	for _, f := range places.files {
		r.ports(f)
	}
	if r.mistaken() {
		return nil
	}
	p := &Project{Contents: map[string][]byte{}, Order: places.order(), Comments: places.comments(), places: places}
	if p.Project = r.load(places); p.Project == nil {
		return nil
	}
	r.finish(p)
	return p
}

// start is the place of what a whole file is at fault for.
func (r *reader) start() place { return place{path.Clean(r.request.Files[0]), 1, 1} }

// say adds a finding at a place of a Compose file.
func (r *reader) say(id finding.ID, at place, path, got, text string) {
	f := finding.Finding{ID: id, Level: finding.LevelOf(id), Line: at.line, Column: at.column, Path: printable(path), Got: printable(got), Text: printable(text)}
	if at.file != "" {
		f.File = r.known(at.file)
	}
	if !r.full() && !slices.Contains(r.found, f) {
		r.found = append(r.found, f)
	}
}

// saySpec adds a finding about the stack's own field in the spec.
func (r *reader) saySpec(id finding.ID, field, got, text string) {
	r.say(id, place{}, "stacks."+r.request.Name+"."+field, got, text)
}

// full reports whether nobody would read more findings.
func (r *reader) full() bool { return len(r.found) >= maxFindings }

func (r *reader) mistaken() bool {
	return slices.ContainsFunc(r.found, isMistake)
}

// printable writes what a terminal must not see by its number.
func printable(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return !strconv.IsPrint(c) }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// dotted is a path as messages write it.
func dotted(path []string) string { return strings.Join(path, ".") }
