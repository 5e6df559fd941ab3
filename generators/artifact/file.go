// Package artifact is the bundle: its files in memory, and on disk.
package artifact

import "io/fs"

// File is one file of a bundle.
type File struct {
	Path string      // slash-separated, relative to the bundle's root
	Mode fs.FileMode // 0o644, or 0o755 for what is run
	Data []byte
	Own  bool // the same bytes in every bundle of this version of skep

	Origins []Origin // in the order of lines; empty where nothing in the file follows from one field
}
