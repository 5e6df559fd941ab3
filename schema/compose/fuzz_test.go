package compose

import (
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
)

// FuzzRead holds for any text: no panic, and either a project or a mistake, each with a place and on one line.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.txtar", "testdata/bad/*.txtar"} {
		for _, file := range archives(f, pattern) {
			a := readArchive(f, file)
			texts := [2]string{}
			for i, name := range a.request.Files[:min(2, len(a.request.Files))] {
				if file := a.fsys[name]; file != nil {
					texts[i] = string(file.Data)
				}
			}
			f.Add(texts[0], texts[1])
		}
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		fsys := fstest.MapFS{"a/compose.yaml": {Data: []byte(first)}, "a/other.yaml": {Data: []byte(second)}, "a/web.env": {Data: []byte(second)}}
		r := Request{Name: "shop", Files: []string{"a/compose.yaml"}, Values: map[string]string{"TAG": "1"}, Profiles: []string{"on", "!off"}}
		if len(second) > 0 {
			r.Files = append(r.Files, "a/other.yaml")
		}
		p, found := Read(fsys, same, r)
		mistakes := 0
		for _, m := range found {
			if m.Level == finding.Mistake {
				mistakes++
			}
			if m.File == "" && !strings.HasPrefix(m.Path, "stacks.shop.") || m.File != "" && (m.Line < 1 || m.Column < 1) || strings.ContainsAny(m.Error(), "\n\r\x1b\x00") {
				t.Errorf("%q: no place, or no line", m.Error())
			}
			if strings.Contains(m.Text, "stopped: ") {
				t.Errorf("panicked: %v", m)
			}
		}
		if (p == nil) != (mistakes > 0) {
			t.Errorf("a project: %v, mistakes: %v", p != nil, found)
		}
	})
}
