package editor_test

import (
	"errors"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
)

// edit is a spec that somebody made a mistake in.
type edit struct{ file, text string }

// edits are those of the table of mistakes, which says itself how it is read.
func edits(t *testing.T) []edit {
	t.Helper()
	table, err := os.ReadFile(top + "/cmd/skep/testdata/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	signs := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\ufeff`, "\ufeff", `\u00a0`, "\u00a0")
	var found []edit
	for _, section := range strings.Split(string(table), "\n== ")[1:] {
		head, rest, _ := strings.Cut(section, "\n\n\n")
		file, indented, _ := strings.Cut(head, "\n\t")
		text := strings.ReplaceAll(indented, "\n\t", "\n") + "\n"
		for line := range strings.Lines(rest) {
			from, to, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  =>  ")
			if !ok || strings.HasPrefix(line, "\t") {
				continue
			}
			from, to = signs.Replace(from), signs.Replace(to)
			e := edit{file, strings.Replace(text, from, to, 1)}
			switch from {
			case "(all)":
				e.text = to + "\n"
			case "(before all)":
				e.text = to + text
			case "(after all)":
				e.text = text + to + "\n"
			}
			found = append(found, e)
		}
	}
	return found
}

// TestMistakesAreSeen: an editor with the schema shows most of the mistakes that people make in one field.
func TestMistakesAreSeen(t *testing.T) {
	schema := compiled(t)
	seen, all := map[finding.ID]int{}, map[finding.ID]int{}
	for _, e := range edits(t) {
		fsys := fstest.MapFS{e.file: {Data: []byte(e.text), Mode: 0o644}}
		_, _, err := spec.LoadFS(fsys, e.file, spec.DefaultLimits())
		var said finding.List
		if !errors.As(err, &said) {
			continue
		}
		data, err := asData(path.Base(e.file), []byte(e.text))
		if err != nil {
			continue // what no parser reads, every editor shows
		}
		all[said[0].ID]++
		if schema.Validate(data) != nil {
			seen[said[0].ID]++
		}
	}
	for id, missed := range map[finding.ID]int{
		finding.UnknownField: 0, finding.RequiredField: 0, finding.WrongType: 0, finding.FactSet: 0, finding.DerivedSet: 0, finding.MisplacedField: 0,
		finding.WrongValue: 1, // host bits of a network
	} {
		if all[id] == 0 || seen[id] < all[id]-missed {
			t.Errorf("%s: %d of %d are seen", id, seen[id], all[id])
		}
	}
	whole, part := 0, 0
	for id, n := range all {
		whole, part = whole+n, part+seen[id]
	}
	t.Logf("%d of %d mistakes are seen", part, whole)
	if part*100 < whole*85 {
		t.Errorf("%d of %d mistakes are seen, want 85 of 100", part, whole)
	}
}
