package compose

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGood holds what files in the shapes of real ones become.
func TestGood(t *testing.T) {
	for _, file := range archives(t, "testdata/good/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a := readArchive(t, file)
			p, found := Read(a.fsys, same, a.request)
			if len(found) > 0 {
				t.Fatal(found)
			}
			a.check(t, file, told(t, p))
		})
	}
}

// told is all of a project as text.
func told(t *testing.T, p *Project) string {
	t.Helper()
	text, err := json.MarshalIndent(p.Project, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var w strings.Builder
	w.Write(append(text, '\n'))
	for _, section := range sections {
		fmt.Fprintf(&w, "# %s: %s\n", section, strings.Join(p.Order[section], " "))
	}
	for _, path := range slices.Sorted(maps.Keys(p.Comments)) {
		fmt.Fprintf(&w, "# above %s: %q\n", path, p.Comments[path])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Contents)) {
		fmt.Fprintf(&w, "# %s: %d bytes\n", name, len(p.Contents[name]))
	}
	return w.String()
}
