package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
)

// ManifestName is the file that lists every other file of a bundle with its digest, for `sha256sum -c`.
const ManifestName = "MANIFEST"

// Manifest is the MANIFEST of a bundle of these files.
func Manifest(files []File) File {
	var lines []string
	for _, f := range files {
		lines = append(lines, manifestLine(sha256.Sum256(f.Data), f.Path))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	return File{Path: ManifestName, Mode: 0o644, Data: []byte(strings.Join(lines, ""))}
}

func manifestLine(sum digest, path string) string {
	return hex.EncodeToString(sum[:]) + "  " + path + "\n"
}

type digest = [sha256.Size]byte

// owned holds, by path, the digests of what skep itself wrote or was about to write there.
type owned map[string][]digest

// has tells whether skep wrote a file of this digest to the path.
func (o owned) has(path string, sum digest) bool { return slices.Contains(o[path], sum) }

// add adds each line of a MANIFEST or a journal. Neither is trusted: a path that leads out of the bundle, or to
// skep's own records in it, is an error, and so is a list that is empty or torn. The other lines count nevertheless:
// after a merge with conflicts, an Overwrite still knows what is skep's.
func (o owned) add(list []byte) error {
	if len(list) == 0 {
		return errors.New("is empty")
	}
	var first error
	number := 0
	for line := range bytes.Lines(list) {
		number++
		sum, path, err := parseManifestLine(string(line))
		switch {
		case err == nil && !o.has(path, sum):
			o[path] = append(o[path], sum)
		case err != nil && first == nil:
			first = fmt.Errorf("line %d: %w", number, err)
		}
	}
	return first
}

func parseManifestLine(line string) (digest, string, error) {
	text, whole := strings.CutSuffix(line, "\n")
	sum, path, cut := strings.Cut(text, "  ")
	raw, err := hex.DecodeString(sum)
	if !whole || !cut || err != nil || len(raw) != sha256.Size || checkPath(path) != nil {
		return digest{}, "", errors.New("want a sha256 digest, two spaces and a path inside the bundle")
	}
	return digest(raw), path, nil
}

// withManifest is the bundle whole: the files and their MANIFEST, sorted. It checks what the generators promise.
func withManifest(files []File) ([]File, error) {
	if len(files) == 0 {
		return nil, errors.New("bundle: no file to write")
	}
	paths := map[string]bool{}
	for _, f := range files {
		if err := checkPath(f.Path); err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
		if f.Mode != 0o644 && f.Mode != 0o755 {
			return nil, fmt.Errorf("bundle: %s: mode %v: want 0644 or 0755", f.Path, f.Mode)
		}
		if paths[f.Path] {
			return nil, fmt.Errorf("bundle: %s: generated twice", f.Path)
		}
		paths[f.Path] = true
	}
	for _, f := range files {
		for dir := range parents(f.Path) {
			if paths[dir] {
				return nil, fmt.Errorf("bundle: %s: generated as a file and as a directory", dir)
			}
		}
	}
	all := append(slices.Clone(files), Manifest(files))
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// Listed returns those of the files of a bundle that its MANIFEST lists; want names the paths that are looked for. A file
// that is not as MANIFEST has it is an error: nobody may take it for what skep built. So is a bundle of a later form.
func Listed(files []File, want func(path string) bool) ([]File, error) {
	if i := slices.IndexFunc(files, func(f File) bool { return f.Path == FormatName }); i >= 0 {
		if err := checkFormat(files[i].Data); err != nil {
			return nil, err
		}
	}
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == ManifestName })
	if i < 0 {
		return nil, fmt.Errorf("%s: no such file", ManifestName)
	}
	known := owned{}
	if err := known.add(files[i].Data); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	var listed []File
	for _, f := range files {
		if known[f.Path] == nil || !want(f.Path) {
			continue
		}
		if !known.has(f.Path, sha256.Sum256(f.Data)) {
			return nil, fmt.Errorf("%s: differs from %s", f.Path, ManifestName)
		}
		listed = append(listed, f)
	}
	return listed, nil
}

// checkPath tells whether a bundle may hold a file of this path.
func checkPath(path string) error {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case !fs.ValidPath(path) || path == ".":
		return fmt.Errorf("%q: want a path inside the bundle", path)
	case path == ManifestName || first == workName:
		return fmt.Errorf("%q: kept for skep itself", path)
	case strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return fmt.Errorf("%q: want a path that sha256sum can read back", path)
	}
	return nil
}

// parents yields the directories above path, topmost first, without the root.
func parents(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i]) {
				return
			}
		}
	}
}
