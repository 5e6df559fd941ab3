// Package artifact is the bundle: its files in memory, and on disk.
package artifact

import "io/fs"

// File is one file of a bundle.
type File struct {
	Path string      // slash-separated, relative to the bundle's root
	Mode fs.FileMode // 0o644, or 0o755 for what is run
	Data []byte
	Own  bool // the same bytes in every bundle of this version of skep

	// Where the lines come from. An origin says it of some; Of are the fields that decide the rest of the file, and that it is there
	// at all: empty where that is the spec as a whole. Static are lines that no field decides.
	Origins []Origin // in the order of lines
	Of      []string
	Static  []Static
}

// Of says of files which fields decide them, but for those of skep's own.
func Of(files []File, fields ...string) []File {
	for i := range files {
		if !files[i].Own {
			files[i].Of = fields
		}
	}
	return files
}
