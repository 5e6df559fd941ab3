package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	_ "embed" // the script that verifies
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed verify.sh
var verifyScript []byte

// Packing is an archive before it is written: its files and their sums.
type Packing struct {
	Identity
	files     []File
	signature []byte
	left      []File // out of a delta
}

// New sums files up, each read once. Files of its own are added: the record and the script that verifies.
func New(id Identity, files []File) (*Packing, error) {
	p := &Packing{Identity: id, files: append(slices.Clone(files), Text(Record, 0o644, id.text()), Text(Script, 0o755, verifyScript))}
	slices.SortFunc(p.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range p.files {
		if !inside(f.Path) || isAboutSums(f.Path) {
			return nil, wrong("%q: an archive holds no file of this name", f.Path)
		}
		if i > 0 && p.files[i-1].Path == f.Path {
			return nil, wrong("%s: stands twice", f.Path)
		}
	}
	return p, sumUp(p.files)
}

// Sums is the list that is signed.
func (p *Packing) Sums() []byte {
	all := append(slices.Clone(p.files), p.left...)
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return sums(all)
}

// Sign keeps a signature of the sums.
func (p *Packing) Sign(signature []byte) { p.signature = signature }

// Since leaves out what a former archive had under the same name with the same bytes. What it has to say of itself stays.
// Sums and signature are those of the whole.
func (p *Packing) Since(former []byte) error {
	old, err := readSums(former)
	if err != nil {
		return err
	}
	stays := func(f File) bool {
		sum, ok := old[f.Path]
		return !ok || sum != f.sum || f.Path == Record || f.Path == Script
	}
	var kept []File
	for _, f := range p.files {
		if stays(f) {
			kept = append(kept, f)
		} else {
			p.left = append(p.left, f)
		}
	}
	p.files = kept
	return nil
}

// Size counts the files and their bytes.
func (p *Packing) Size() (files int, bytes int64) {
	for _, f := range p.files {
		bytes += f.size
	}
	return len(p.files), bytes
}

// Left counts what is left out, since a former archive has it.
func (p *Packing) Left() int { return len(p.left) }

// Write writes the archive into a file, whole or not at all.
func (p *Packing) Write(name string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".skep-archive-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(p.stream(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func (p *Packing) stream(to io.Writer) error {
	w := tar.NewWriter(to)
	all := p.Sums()
	first := []File{Text(Sums, 0o644, all)}
	if p.signature != nil {
		first = append(first, Text(Signature, 0o644, p.signature))
	}
	if len(p.left) > 0 {
		first = append(first, Text(Delta, 0o644, sums(p.left)))
	}
	if err := sumUp(first); err != nil {
		return err
	}
	for _, f := range append(first, p.files...) {
		if err := p.add(w, f); err != nil {
			return err
		}
	}
	return w.Close()
}

// add packs a file, which has to be the one that was summed up.
func (p *Packing) add(w *tar.Writer, f File) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: p.Name + "/" + f.Path, Mode: int64(f.Mode & fs.ModePerm), Size: f.size, ModTime: time.Unix(0, 0)}
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	hash := sha256.New()
	_, err := f.copyTo(io.MultiWriter(w, hash))
	if err == nil && bytes.Equal(hash.Sum(nil), f.sum[:]) {
		return nil
	}
	if err == nil || errors.Is(err, tar.ErrWriteTooLong) {
		return wrong("%s: changed while it was packed: run again", f.Path)
	}
	return fmt.Errorf("%s: %w", f.Path, err)
}
