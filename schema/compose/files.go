package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"skep.dev/schema/finding"
)

// What a stack may cost before anything reads it. compose-go cannot be stopped, and takes longer than linear time for many
// variables in one text, for long chains of extends and for long lists.
const (
	maxFileBytes   = 1 << 20
	maxFiles       = 16
	maxConfigBytes = 1000 << 10 // what Swarm takes
	maxText        = 64 << 10
	maxKey         = 1024
	maxVariables   = 200 // in one text
	maxNesting     = 8   // of defaults
	maxExtends     = 16
	maxServices    = 500
	maxItems       = 1000 // of a list or mapping
	maxPorts       = 1000 // of a service
	maxDepth       = 64
	maxNodes       = 50_000   // of a stack with one file
	maxBytes       = 16 << 20 // of all files of a stack
	maxFindings    = 200
	maxLinks       = 40
)

// origin is who names a file: a field of the spec, or a place in a Compose file.
type origin struct {
	at   place
	path string
}

func (r *reader) fromSpec() origin { return origin{path: "stacks." + r.request.Name + ".compose"} }

// file reads and parses a Compose file, once. It gives nil after a finding.
func (r *reader) file(name string, by origin) *node {
	if root, ok := r.parsed[name]; ok {
		return root
	}
	if len(r.parsed) == maxFiles {
		r.say(finding.TooBig, by.at, by.path, quoted(name), fmt.Sprintf("the stack has more than %d Compose files: put some together", maxFiles))
		return nil
	}
	r.parsed[name] = nil
	text, ok := r.contents(name, maxFileBytes, by)
	if !ok || !r.readable(name, text) {
		return nil
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))) == 0 {
		r.say(finding.NoComposeFile, place{name, 1, 1}, "", "", "is empty: write the stack's services, or leave the file out of compose")
		return nil
	}
	root := r.parse(name, bytes.TrimPrefix(text, []byte("\ufeff")))
	r.parsed[name] = root
	return root
}

// readable refuses what is no text.
func (r *reader) readable(name string, text []byte) bool {
	at := place{name, 1, 1}
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")):
		r.say(finding.Syntax, at, "", "", "is UTF-16: save it as UTF-8")
	case bytes.IndexByte(text, 0) >= 0:
		r.say(finding.Syntax, at, "", "", "is not a text")
	case !utf8.Valid(text):
		line := 1
		for rest := text; utf8.Valid(rest[:bytes.IndexByte(append(rest[:len(rest):len(rest)], '\n'), '\n')]); line++ {
			rest = rest[bytes.IndexByte(rest, '\n')+1:]
		}
		r.say(finding.Syntax, place{name, line, 1}, "", "", "has a letter that is not UTF-8: save the file as UTF-8")
	default:
		return true
	}
	return false
}

// inside gives the path in the file system of a file that a Compose file names, seen from dir.
func (r *reader) inside(dir, name string, by origin) (string, bool) {
	full := path.Join(dir, name)
	switch {
	case name == "":
		r.say(finding.NoComposeFile, by.at, by.path, `""`, "want the path of a file")
	case strings.HasPrefix(name, "~"):
		r.say(finding.FileOutside, by.at, by.path, quoted(name), "the home directory is another one on each machine: bring the file below the spec's directory")
	case path.IsAbs(name) || strings.Contains(name, "://") || strings.Contains(name, `\`) || !fs.ValidPath(full):
		r.say(finding.FileOutside, by.at, by.path, quoted(name), "outside the spec's directory: bring the file below it, and name it from here")
	default:
		return full, true
	}
	return "", false
}

// contents reads a regular file of the file system that is not larger than the limit.
func (r *reader) contents(name string, limit int64, by origin) ([]byte, bool) {
	refuse := func(id finding.ID, text string) ([]byte, bool) {
		r.say(id, by.at, by.path, quoted(name), text)
		return nil, false
	}
	target, err := r.follow(name)
	if errors.Is(err, errOut) {
		return refuse(finding.FileOutside, "is a link out of the spec's directory: bring the file itself")
	}
	var info fs.FileInfo
	if err == nil {
		info, err = fs.Stat(r.fsys, target)
	}
	switch {
	case err != nil:
		return refuse(finding.NoComposeFile, cause(err))
	case info.IsDir():
		return refuse(finding.NoComposeFile, "is a directory: name a file in it")
	case !info.Mode().IsRegular():
		return refuse(finding.NoComposeFile, "is not a regular file")
	case info.Size() > limit:
		return refuse(finding.TooBig, fmt.Sprintf("has %d KiB, more than the %d KiB that such a file may have", info.Size()>>10, limit>>10))
	}
	f, err := r.fsys.Open(target)
	if err != nil {
		return refuse(finding.NoComposeFile, cause(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return refuse(finding.NoComposeFile, cause(err))
	}
	if r.bytes -= len(text); r.bytes < 0 {
		return refuse(finding.TooBig, fmt.Sprintf("the files that the stack reads have more than %d MiB, with each env_file counted for each service", maxBytes>>20))
	}
	return text, true
}

var (
	errOut    = errors.New("leads out")
	errCircle = errors.New("links in a circle")
)

// follow gives the path without the links on its way.
func (r *reader) follow(name string) (string, error) {
	for range maxLinks {
		link, err := r.firstLink(name)
		if link == "" || err != nil {
			return name, err
		}
		target, err := fs.ReadLink(r.fsys, link)
		if err != nil {
			return "", err
		}
		next := path.Join(path.Dir(link), target, strings.TrimPrefix(name, link))
		if path.IsAbs(target) || !fs.ValidPath(next) {
			return "", errOut
		}
		name = next
	}
	return "", errCircle
}

// firstLink gives the first part of a path that is a link, or none.
func (r *reader) firstLink(name string) (string, error) {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		info, err := fs.Lstat(r.fsys, name[:i])
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return name[:i], nil
		}
	}
	return "", nil
}

// cause is an error of the file system in one line, without a path.
func cause(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file below the spec's directory"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read (permission denied)"
	case errors.As(err, &pathError):
		return pathError.Err.Error()
	}
	return err.Error()
}

// quoted is a text of the user's on one line, cut where it is long.
func quoted(s string) string {
	const longest = 120
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return strconv.Quote(s)
}
