package examples

import (
	"io/fs"
	"os"
	"path"
	"testing"
)

// Every example whose bundle stands here can be begun with, whole.
func TestSpecs(t *testing.T) {
	bundles, err := fs.Glob(os.DirFS("."), "*/bundle")
	if err != nil || len(bundles) < 6 {
		t.Fatal(bundles, err)
	}
	for _, bundle := range bundles {
		dir := path.Dir(bundle)
		err := fs.WalkDir(os.DirFS("."), dir, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && file == bundle:
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			if _, err := fs.Stat(Specs, file); err != nil {
				t.Errorf("%s is not among Specs", file)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
