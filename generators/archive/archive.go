// Package archive is the one file that is carried into a site without a network: the bundle, the images, the packages and
// skep itself, in a tar whose list of sums can be signed.
//
// The tar holds one directory, named after the cluster. First come SHA256SUMS, which lists every other file, and
// SHA256SUMS.sig, its signature; so a reader knows what to expect before anything else arrives. The same contents give the
// same bytes: files are sorted, and carry no time and no owner.
package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
)

// Names in an archive, below its directory.
const (
	Sums      = "SHA256SUMS"
	Signature = "SHA256SUMS.sig"
	Delta     = "DELTA"   // what is left out of an archive that follows another, as sums
	Record    = "ARCHIVE" // which archive this is
	Script    = "verify.sh"
	Program   = "bin/skep"
	Materials = "sbom.cdx.json"
	Bundle    = "bundle/"
	Images    = "images/"
	Packages  = "packages/"
)

// Wrong is a carried file, or what one would be made of, that is not what it should be.
type Wrong struct{ text string }

func (w Wrong) Error() string { return w.text }

func wrong(format string, args ...any) error { return Wrong{fmt.Sprintf(format, args...)} }

type digest = [sha256.Size]byte

// File is one file of an archive. Its bytes are read twice: to be summed up, and to be packed.
type File struct {
	Path string      // slash-separated, below the archive's directory
	Mode fs.FileMode // 0o644, or 0o755 for what is run
	Open func() (io.ReadCloser, error)

	size int64
	sum  digest
}

// Text is a file that is in memory.
func Text(path string, mode fs.FileMode, data []byte) File {
	return File{Path: path, Mode: mode, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// OnDisk is a file of this machine.
func OnDisk(path string, mode fs.FileMode, name string) File {
	return File{Path: path, Mode: mode, Open: func() (io.ReadCloser, error) { return os.Open(name) }}
}

// OfBundle are the files of a bundle and its MANIFEST.
func OfBundle(files []artifact.File) []File {
	var out []File
	for _, f := range append(slices.Clone(files), artifact.Manifest(files)) {
		out = append(out, Text(Bundle+f.Path, f.Mode, f.Data))
	}
	return out
}

// Below are the files of a directory and of those in it. A link, or whatever else is not a file, is refused: its bytes lie
// elsewhere.
func Below(prefix, dir string) ([]File, error) {
	var out []File
	if _, err := os.ReadDir(dir); err != nil {
		return nil, err
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return wrong("%s/%s: is not a regular file", dir, name)
		}
		out = append(out, OnDisk(prefix+name, 0o644, dir+"/"+name))
		return nil
	})
	if err == nil && len(out) == 0 {
		err = wrong("%s: holds no file", dir)
	}
	return out, err
}

// sumUp reads each file once.
func sumUp(files []File) error {
	for i := range files {
		f := &files[i]
		hash := sha256.New()
		size, err := f.copyTo(hash)
		if err != nil {
			return err
		}
		f.size, f.sum = size, digest(hash.Sum(nil))
	}
	return nil
}

func (f File) copyTo(w io.Writer) (int64, error) {
	r, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}

// sums is SHA256SUMS of files.
func sums(files []File) []byte {
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(f.sum[:]), f.Path)
	}
	return b.Bytes()
}

// list is what a SHA256SUMS says, by path.
type list map[string]digest

// readSums reads a SHA256SUMS. It may come from anywhere: each line has to be a sum and a path inside the archive, each once.
func readSums(text []byte) (list, error) {
	out := list{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		sum, path, cut := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		raw, err := hex.DecodeString(sum)
		if !cut || err != nil || len(raw) != sha256.Size || !strings.HasSuffix(line, "\n") || !inside(path) || isAboutSums(path) {
			return nil, wrong("%s: line %d: want a sha256 digest, two spaces and a path inside the archive", Sums, number)
		}
		if _, twice := out[path]; twice {
			return nil, wrong("%s: line %d: %s stands twice", Sums, number, path)
		}
		out[path] = digest(raw)
	}
	if len(out) == 0 {
		return nil, wrong("%s: is empty", Sums)
	}
	return out, nil
}

// inside reports whether an archive may hold a file of this path.
func inside(path string) bool {
	return fs.ValidPath(path) && path != "." && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' })
}

// isAboutSums reports whether a file is not in the sums, since it is about them.
func isAboutSums(path string) bool { return path == Sums || path == Signature || path == Delta }
