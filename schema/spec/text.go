package spec

import (
	"io/fs"
	"path"
	"path/filepath"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/written"
)

// LoadText is Load for a text that stands for a file: what an editor has not written yet. The file need not be there; its
// directory is where other files are looked for.
func LoadText(file string, text []byte) (*schema.Cluster, *written.Spec, error) {
	on, dir, err := onDisk(filepath.Dir(file))
	if err != nil {
		return nil, nil, err
	}
	name := path.Join(dir, filepath.Base(file))
	return LoadFS(patched{on, fstest.MapFS{name: {Data: text, Mode: 0o444}}}, name, DefaultLimits())
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

// ReadFile reads a file.
func (p patched) ReadFile(name string) ([]byte, error) {
	if p.files[name] != nil {
		return p.files.ReadFile(name)
	}
	return p.disk.ReadFile(name)
}
