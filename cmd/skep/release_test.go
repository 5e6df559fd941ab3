package main

import (
	"os"
	"regexp"
	"testing"
)

// What CI runs of others is pinned by the digest of a commit, with its version beside it: a tag can be moved.
func TestActionsArePinned(t *testing.T) {
	files := workflows(t)
	uses := regexp.MustCompile(`uses: *(.*)`)
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		actions := uses.FindAllSubmatch(b, -1)
		if len(actions) == 0 {
			t.Errorf("%s uses no action", file)
		}
		for _, m := range actions {
			if !pinned.Match(m[1]) && string(m[1]) != "OWNER/skep@COMMIT # that of the release below" {
				t.Errorf("%s: %s: want OWNER/NAME@DIGEST # vX.Y.Z", file, m[1])
			}
		}
	}
}

// The newest section of the changelog is a version, or .ci/notes finds nothing to say about the release.
func TestChangelogBeginsWithAVersion(t *testing.T) {
	b, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile(`(?m)^## .*`).Find(b)
	if !regexp.MustCompile(`^## v[0-9]+\.[0-9]+\.[0-9]+ \((unreleased|[0-9]{4}-[0-9]{2}-[0-9]{2})\)$`).Match(first) {
		t.Errorf("CHANGELOG.md: %q: want a version such as ## v1.2.3 (2027-01-31)", first)
	}
}
