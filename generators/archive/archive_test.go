package archive_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"skep.dev/generators/archive"
)

// zeros is a large file.
type zeros struct{ left int64 }

func (z *zeros) Read(b []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), z.left)
	clear(b[:n])
	z.left -= n
	return int(n), nil
}

// unsigned believes any sums.
func unsigned([]byte, []byte) error { return nil }

// TestStream: however large an archive is, it passes through some megabytes of memory, on its way in and out.
func TestStream(t *testing.T) {
	const size = 256 << 20
	file := filepath.Join(t.TempDir(), "large.tar")
	before := allocated()
	p, err := archive.New(archive.Identity{Name: "paris", Serial: 1}, []archive.File{{Path: "images/large.tar", Mode: 0o644,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(&zeros{size}), nil }}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := (archive.Verifier{Signed: unsigned}).Verify(f); err != nil {
		t.Fatal(err)
	}
	if used := allocated() - before; used > 8<<20 {
		t.Errorf("%d MB were allocated for a file of %d MB", used>>20, size>>20)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestChanged: what is packed is what was summed up, or nothing is written.
func TestChanged(t *testing.T) {
	for name, second := range map[string]string{"longer": "one more", "shorter": "o", "another": "two"} {
		reads := 0
		p, err := archive.New(archive.Identity{Name: "paris", Serial: 1}, []archive.File{{Path: "a", Mode: 0o644, Open: func() (io.ReadCloser, error) {
			reads++
			return io.NopCloser(strings.NewReader([]string{"one", second}[min(reads, 2)-1])), nil
		}}})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		err = p.Write(filepath.Join(dir, "a.tar"))
		if err == nil || !strings.Contains(err.Error(), "a: changed while it was packed: run again") || !errors.As(err, new(archive.Wrong)) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left: %v", name, left)
		}
	}
}

// TestNew refuses files that an archive cannot hold.
func TestNew(t *testing.T) {
	for _, path := range []string{"", "/a", "../a", "a/../b", "a b", "a\nb", `a\b`, "ä", archive.Sums, archive.Signature, archive.Delta, archive.Record, archive.Script} {
		if _, err := archive.New(archive.Identity{Name: "paris", Serial: 1}, []archive.File{archive.Text(path, 0o644, nil)}); err == nil {
			t.Errorf("%q: packed", path)
		}
	}
	same := archive.Text("a", 0o644, nil)
	if _, err := archive.New(archive.Identity{Name: "paris", Serial: 1}, []archive.File{same, same}); err == nil {
		t.Error("a file stands twice")
	}
}

// An archive may be anything: it is read to its end, or refused, and whatever is accepted has the sums and files of a good one.
func FuzzVerify(f *testing.F) {
	p, err := archive.New(archive.Identity{Name: "paris", Serial: 3}, []archive.File{archive.Text("bundle/a", 0o644, []byte("one")), archive.Text("b", 0o755, nil)})
	if err != nil {
		f.Fatal(err)
	}
	file := filepath.Join(f.TempDir(), "a.tar")
	if err := p.Write(file); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		signed := func(sums, _ []byte) error {
			if !bytes.Equal(sums, p.Sums()) {
				return archive.Forged("somebody")
			}
			return nil
		}
		got, err := archive.Verifier{Signed: signed}.Verify(bytes.NewReader(text))
		if err == nil && (got.Identity != p.Identity || got.Files != 4 || got.Delta) {
			t.Errorf("accepted as %+v", got)
		}
	})
}
