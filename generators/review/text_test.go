package review_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/review"
	"skep.dev/schema/spec"
)

// TestTextsAreUsed finds the text of a service that no row names; one that a row names and that is not there is an error.
func TestTextsAreUsed(t *testing.T) {
	var used []string
	for _, example := range []string{"everything", "target", "host"} {
		c, _, err := spec.Load("../../examples/" + example)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := review.Files(c); err != nil {
			t.Error(err)
		}
		used = append(used, c.Rows.Texts.Names()...)
	}
	files, err := filepath.Glob("services/*.md")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if !slices.Contains(used, strings.TrimSuffix(filepath.Base(file), ".md")) {
			t.Errorf("%s: no row names it", file)
		}
	}
}
