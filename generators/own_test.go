package generators_test

import (
	"bytes"
	"testing"

	"skep.dev/generators/artifact"
)

// TestOwn: a file that says nothing about the cluster is the same in every bundle, and one that is the same in several says so.
func TestOwn(t *testing.T) {
	seen := map[string][]artifact.File{}
	for _, spec := range exampleSpecs(t) {
		for _, f := range generate(t, spec) {
			seen[f.Path] = append(seen[f.Path], f)
		}
	}
	owned := 0
	for path, files := range seen {
		same := true
		for _, f := range files[1:] {
			same = same && bytes.Equal(f.Data, files[0].Data) && f.Mode == files[0].Mode
		}
		for _, f := range files {
			switch {
			case f.Own && !same:
				t.Errorf("%s: of skep's own, and not the same in all examples", path)
			case !f.Own && same && len(files) > 2:
				t.Errorf("%s: the same in %d examples, and not of skep's own", path, len(files))
			}
			if f.Own {
				owned++
			}
		}
	}
	if owned < 100 {
		t.Errorf("only %d files of skep's own", owned)
	}
}
