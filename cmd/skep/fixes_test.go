package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
	"skep.dev/schema/fix"
	"skep.dev/schema/spec"
)

// asks are words without which no finding asks for an edit.
var asks = regexp.MustCompile("write|did you mean|quotes|zeros")

// TestFixes makes the edits that an editor offers for the table of mistakes: each takes its mistake away.
func TestFixes(t *testing.T) {
	table, err := os.ReadFile("testdata/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	said := func(s section, text string) finding.List {
		_, _, err := spec.LoadFS(fstest.MapFS{s.file: {Data: []byte(text), Mode: 0o444}}, s.file, spec.DefaultLimits())
		var found finding.List
		errors.As(err, &found)
		return found
	}
	_, sections := tableOf(string(table))
	fixed := 0
	for _, s := range sections {
		for _, a := range s.attempts {
			if strings.HasPrefix(a.typed, "$ ") || !asks.MatchString(a.said) {
				continue
			}
			text := s.edited(t, a.typed)
			for _, f := range said(s, text) {
				e, ok := fix.Of(f, []byte(text))
				if !ok {
					continue
				}
				fixed++
				for _, left := range said(s, text[:e.Start]+e.Text+text[e.End:]) {
					if left == f || left.Line == f.Line && left.ID == finding.Syntax {
						t.Errorf("%s\nwith %q for %q: %s", a.typed, e.Text, text[e.Start:e.End], left.Error())
					}
				}
			}
		}
	}
	if fixed < 70 {
		t.Errorf("%d edits, want 70 or more", fixed)
	}
}
