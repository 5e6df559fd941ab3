package schema

import (
	"embed"
	"io/fs"
	"path"
)

// The schema travels inside the binary, so that a spec's import of it resolves on a machine without a network.
//
//go:embed *.cue
var embedded embed.FS

// ImportPath is how a spec names the schema, and VendorDir where CUE looks for it below a module's root.
const (
	ImportPath = "skep.dev/schema"
	VendorDir  = "cue.mod/pkg/" + ImportPath
)

// Vendored returns the schema's files by their path below a module's root ("cue.mod/pkg/skep.dev/schema/node.cue").
// With them on disk, cue vet and the CUE language server work on a spec without skep.
func Vendored() map[string][]byte {
	files := map[string][]byte{}
	names, err := fs.Glob(embedded, "*.cue")
	if err != nil {
		return nil // the pattern is constant
	}
	for _, name := range names {
		b, err := embedded.ReadFile(name)
		if err != nil {
			return nil // a name of the embedded list is there
		}
		files[path.Join(VendorDir, name)] = b
	}
	return files
}
