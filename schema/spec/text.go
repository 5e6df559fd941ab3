package spec

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/written"
)

// LoadText is Load for a text that stands for a file: what an editor has not written yet. The file need not be there; its
// directory is where other files are looked for.
func LoadText(file string, text []byte) (*schema.Cluster, *written.Spec, error) {
	whole, err := filepath.Abs(file)
	if err != nil {
		return nil, nil, err
	}
	return LoadTexts(file, map[string][]byte{whole: text})
}

// LoadTexts is Load where some files have another text, by their absolute names. They need not be there, and are part of the
// directory's package all the same.
func LoadTexts(file string, texts map[string][]byte) (*schema.Cluster, *written.Spec, error) {
	whole, err := filepath.Abs(file)
	if err != nil {
		return nil, nil, err
	}
	there, below := file, ""
	if texts[whole] != nil {
		there, below = filepath.Dir(file), filepath.Base(file)
	}
	on, dir, err := onDisk(there)
	if err != nil {
		return nil, nil, err
	}
	files := fstest.MapFS{}
	for name, text := range texts {
		if rel, err := filepath.Rel(on.root, name); err == nil && filepath.IsLocal(rel) {
			files[filepath.ToSlash(rel)] = &fstest.MapFile{Data: text, Mode: 0o444}
		}
	}
	return LoadFS(patched{on, files}, path.Join(dir, below), DefaultLimits())
}

// patched is a directory of this machine in which some files have another text.
type patched struct {
	disk
	files fstest.MapFS
}

// Open opens a file.
func (p patched) Open(name string) (fs.File, error) {
	if p.files[name] != nil {
		return p.files.Open(name)
	}
	return p.disk.Open(name)
}

// Stat describes a file.
func (p patched) Stat(name string) (fs.FileInfo, error) {
	if p.files[name] != nil {
		return p.files.Stat(name)
	}
	return p.disk.Stat(name)
}

// ReadDir lists a directory, with the files that are not there yet.
func (p patched) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := p.disk.ReadDir(name)
	if err != nil {
		return nil, err
	}
	for file := range p.files {
		if path.Dir(file) != name {
			continue
		}
		info, err := p.files.Stat(file)
		if err != nil {
			return nil, err
		}
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == info.Name() })
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// ReadFile reads a file.
func (p patched) ReadFile(name string) ([]byte, error) {
	if p.files[name] != nil {
		return p.files.ReadFile(name)
	}
	return p.disk.ReadFile(name)
}
