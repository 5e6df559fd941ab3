package spec_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
)

// TestEveryMistakeHasAnID loads the specs of the command's scripts: each mistake is of a kind that explain knows, and no
// kind is without a spec that shows it.
func TestEveryMistakeHasAnID(t *testing.T) {
	known := map[finding.ID]bool{}
	for _, k := range finding.Kinds() {
		known[k.ID] = k.Level == finding.Mistake
	}
	seen := map[finding.ID]bool{finding.ExposureExpired: true, finding.TestFailed: true, finding.WaiverExpired: true} // not found by Load
	for _, k := range finding.ComposeKinds() {                                                                        // schema/compose/testdata/bad shows them
		seen[k.ID] = true
	}
	scripts, err := filepath.Glob("../../cmd/skep/testdata/script/vet-*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: %v", err)
	}
	for _, script := range scripts {
		for _, m := range mistakesIn(t, script) {
			seen[m.ID] = true
			if !known[m.ID] || m.Level != finding.Mistake {
				t.Errorf("%s: %s %q: %v", script, m.Level, m.ID, m)
			}
		}
	}
	for id, isMistake := range known {
		if isMistake && !seen[id] {
			t.Errorf("no spec shows %s", id)
		}
	}
}

// mistakesIn loads each file and each directory of a script's archive as a spec.
func mistakesIn(t *testing.T, script string) finding.List {
	t.Helper()
	archive, err := txtar.ParseFile(script)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
		if dir, ok := strings.CutSuffix(f.Name, ".module"); ok { // scripts copy it, too
			files[dir+"/cue.mod/module.cue"] = files[f.Name]
			files[dir+"/cluster.cue"] = files["cluster.cue"]
		}
	}
	if base := files["base.cue"]; base != nil { // scripts copy it into each directory
		for name := range files {
			files[filepath.Dir(name)+"/base.cue"] = base
		}
		delete(files, "./base.cue")
	}
	var all finding.List
	if err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." || strings.Contains(name, "/") { // what is below is loaded with its directory
			return err
		}
		_, _, err = spec.LoadFS(files, name, spec.DefaultLimits())
		var found finding.List
		if errors.As(err, &found) {
			all = append(all, found...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
