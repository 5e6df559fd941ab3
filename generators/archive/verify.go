package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// small bounds the files that are read as a whole: lists of some hundred thousand files.
const small = 64 << 20

// Verifier says what an archive has to be.
type Verifier struct {
	// Signed is asked for the signature of the sums before anything else is believed; signature is nil where there is none.
	Signed func(sums, signature []byte) error
	Base   string // the unpacked archive that a delta follows, or ""
}

// Verified is an archive that holds what was signed, and nothing else.
type Verified struct {
	Identity
	Sums  []byte // its list
	Files int
	Delta bool // some of them are those of the archive that it follows
}

// Verify reads an archive to its end. Memory is constant: nothing but lists is kept.
func (v Verifier) Verify(r io.Reader) (Verified, error) {
	t := &reading{Verifier: v, tar: tar.NewReader(r), seen: map[string]bool{}}
	for {
		header, err := t.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Verified{}, broken(err)
		}
		if err := t.entry(header); err != nil {
			return Verified{}, err
		}
	}
	return t.end(r)
}

// reading is an archive on its way.
type reading struct {
	Verifier
	tar       *tar.Reader
	directory string
	sums      []byte
	signature []byte
	want      list // nil until the signature is good
	left      list
	record    []byte
	seen      map[string]bool
}

// entry takes the next file.
func (t *reading) entry(h *tar.Header) error {
	directory, path, _ := strings.Cut(h.Name, "/")
	if t.directory == "" {
		t.directory = directory
	}
	switch {
	case h.Typeflag != tar.TypeReg || directory != t.directory || !inside(path):
		return wrong("%q: an archive holds files of one directory, and nothing else", h.Name)
	case h.Mode != 0o644 && h.Mode != 0o755:
		return wrong("%s: has the mode %o, want 644 or 755", path, h.Mode)
	case t.seen[path]:
		return wrong("%s: stands twice", path)
	case len(t.seen) == 0 && path != Sums:
		return wrong("is no archive of skep: it begins with %s", path)
	}
	t.seen[path] = true
	if isAboutSums(path) {
		return t.about(path)
	}
	if err := t.begin(); err != nil {
		return err
	}
	return t.file(path)
}

// about keeps what is said about the files.
func (t *reading) about(path string) error {
	if t.want != nil {
		return wrong("%s: stands behind the files that it is about", path)
	}
	text, err := io.ReadAll(io.LimitReader(t.tar, small+1))
	if err != nil {
		return broken(err)
	}
	if len(text) > small {
		return wrong("%s: is larger than %d MB", path, small>>20)
	}
	switch path {
	case Sums:
		t.sums = text
	case Signature:
		t.signature = text
	default:
		t.left, err = readSums(text)
	}
	return err
}

// begin believes the sums, once.
func (t *reading) begin() error {
	if t.want != nil {
		return nil
	}
	if err := t.Signed(t.sums, t.signature); err != nil {
		return err
	}
	want, err := readSums(t.sums)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(t.left)) {
		if want[path] != t.left[path] {
			return wrong("%s: %s: is not as %s has it", Delta, path, Sums)
		}
	}
	t.want = want
	return nil
}

// file compares one file with its sum.
func (t *reading) file(path string) error {
	want, ok := t.want[path]
	if !ok {
		return wrong("%s: is not in %s", path, Sums)
	}
	hash := sha256.New()
	var to io.Writer = hash
	var record bytes.Buffer
	if path == Record {
		to = io.MultiWriter(hash, &limited{&record, 1 << 10})
	}
	if _, err := io.Copy(to, t.tar); err != nil {
		return broken(err)
	}
	if !bytes.Equal(hash.Sum(nil), want[:]) {
		return wrong("%s: is not the file that %s names", path, Sums)
	}
	if path == Record {
		t.record = record.Bytes()
	}
	return nil
}

// limited keeps the first bytes.
type limited struct {
	to   *bytes.Buffer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	l.to.Write(b[:n])
	return len(b), nil
}

// end looks for what is missing, and behind the last file.
func (t *reading) end(r io.Reader) (Verified, error) {
	if len(t.seen) == 0 {
		return Verified{}, wrong("is no archive of skep: it is empty")
	}
	if err := t.begin(); err != nil {
		return Verified{}, err
	}
	if err := onlyZeros(r); err != nil {
		return Verified{}, err
	}
	for _, path := range slices.Sorted(maps.Keys(t.want)) {
		if t.seen[path] {
			continue
		}
		if _, left := t.left[path]; !left {
			return Verified{}, wrong("%s: is missing", path)
		}
		if err := t.inBase(path); err != nil {
			return Verified{}, err
		}
	}
	id, err := readIdentity(t.record)
	if err != nil {
		return Verified{}, err
	}
	if id.Name != t.directory {
		return Verified{}, wrong("%s: names %s, and the archive's directory is %q", Record, id.Name, t.directory)
	}
	return Verified{Identity: id, Sums: t.sums, Files: len(t.want), Delta: len(t.left) > 0}, nil
}

// inBase wants a file that a delta leaves out in the archive that it follows.
func (t *reading) inBase(path string) error {
	if t.Base == "" {
		return wrong("is a delta: name the unpacked archive that it follows with --base")
	}
	name := filepath.Join(t.Base, filepath.FromSlash(path))
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return wrong("%s: is neither in the archive nor in %s", path, t.Base)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if want := t.want[path]; !bytes.Equal(hash.Sum(nil), want[:]) {
		return wrong("%s: is not the file that %s names", name, Sums)
	}
	return nil
}

// onlyZeros wants nothing behind the end that the tar says.
func onlyZeros(r io.Reader) error {
	rest := make([]byte, 32<<10)
	for {
		n, err := r.Read(rest)
		if bytes.Trim(rest[:n], "\x00") != nil {
			return wrong("goes on behind its end")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// broken tells a file that was cut off from one that cannot be read.
func broken(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wrong("is cut off")
	case errors.Is(err, tar.ErrHeader):
		return wrong("is no tar, or was damaged")
	}
	return err
}

// SumsOf returns the list of an archive, or of a file that is such a list.
func SumsOf(r io.ReadSeeker) ([]byte, error) {
	t := tar.NewReader(r)
	var from io.Reader = t
	if header, err := t.Next(); err != nil { // no tar
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		from = r
	} else if _, path, _ := strings.Cut(header.Name, "/"); path != Sums {
		return nil, wrong("is no archive of skep: it begins with %s", header.Name)
	}
	text, err := io.ReadAll(io.LimitReader(from, small))
	if err != nil {
		return nil, err
	}
	_, err = readSums(text)
	return text, err
}

// Unsigned is an archive without a signature.
func Unsigned() error { return wrong("is not signed") }

// Stranger is an archive that none of those in a file of signers signed.
func Stranger(signers string) error { return wrong("is signed by nobody in %s", signers) }

// Forged is an archive whose list is not the one that was signed.
func Forged(signer string) error {
	return wrong("%s is not what %s signed for an archive", Sums, signer)
}
