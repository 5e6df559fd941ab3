package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"skep.dev/schema/finding"
)

// beyond are findings about a Compose file that no line of the spec answers: its author has to change it.
var beyond = map[string][]finding.ID{
	"env-file":  {finding.EnvFromDeployer}, // a secret
	"extends":   {finding.RelativeBind},
	"jobs":      {finding.EngineOlder}, // which may not be true of the nodes
	"version-2": {finding.IgnoredKey},
}

// TestImportedFilesBuild: whatever init misses it says with the line to write, and the spec builds when the lines are pasted.
func TestImportedFilesBuild(t *testing.T) {
	archives, err := filepath.Glob("../../schema/compose/testdata/good/*.txtar")
	if err != nil || len(archives) < 15 {
		t.Fatal(len(archives), err)
	}
	for _, file := range archives {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			u := user{dir: t.TempDir(), values: map[string]string{}}
			u.wants(t, archive)
			for range 8 {
				missing := u.vet(t)
				left := slices.DeleteFunc(slices.Clone(missing), func(f finding.Finding) bool { return u.paste(f) })
				if len(left) == len(missing) { // no line to paste any more
					u.builds(t, left, beyond[name])
					return
				}
			}
			t.Error("after 8 rounds there are still lines to paste")
		})
	}
}

// TestImportedFilesSay: of a file that cannot be read, init writes nothing and says why; of any other it writes a spec, and says
// what is wrong with it.
func TestImportedFilesSay(t *testing.T) {
	archives, err := filepath.Glob("../../schema/compose/testdata/bad/*.txtar")
	if err != nil || len(archives) < 40 {
		t.Fatal(len(archives), err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			u := user{dir: t.TempDir(), values: map[string]string{}}
			code, said := u.init(t, archive)
			_, err = os.Stat(filepath.Join(u.dir, "cluster.cue"))
			switch written := err == nil; {
			case !written && (code == exitGood || said == ""):
				t.Errorf("nothing is written, and init exits %d: %s", code, said)
			case written && (code == exitFound) != (len(u.vet(t)) > 0):
				t.Errorf("init exits %d, and vet says %v", code, u.vet(t))
			}
		})
	}
}

// user is somebody who does what skep says.
type user struct {
	dir    string
	values map[string]string
	pasted []string
}

// init writes a spec of the archive's stack, whose values and files stand at its top.
func (u *user) init(t *testing.T, archive *txtar.Archive) (code int, said string) {
	t.Helper()
	first := ""
	for _, f := range archive.Files {
		file := filepath.Join(u.dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = file
		}
	}
	files := first
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			u.values[name] = value
		}
		if names, ok := strings.CutPrefix(line, "compose "); ok {
			files = ""
			for name := range strings.FieldsSeq(names) {
				files += "," + filepath.Join(u.dir, filepath.FromSlash(name))
			}
		}
	}
	var out bytes.Buffer
	code = run([]string{"init", "--from-compose", strings.Trim(files, ","), u.dir}, &out, &out)
	return code, out.String()
}

// wants has init write the spec, and say what vet says of it.
func (u *user) wants(t *testing.T, archive *txtar.Archive) {
	t.Helper()
	code, said := u.init(t, archive)
	mistakes := u.vet(t)
	if (code == exitFound) != (len(mistakes) > 0) {
		t.Errorf("init exits %d, and vet says %v", code, mistakes)
	}
	for _, f := range mistakes {
		if !strings.Contains(said, f.Text) {
			t.Errorf("init does not say %v", f)
		}
	}
}

func (u *user) vet(t *testing.T) finding.List {
	t.Helper()
	_, err := load(u.dir)
	found, ok := err.(finding.List)
	if err != nil && !ok {
		t.Fatal(err)
	}
	return found
}

// pasteable is the line that a finding offers.
var pasteable = regexp.MustCompile(`add ((?:stacks|nodes): .*?)(?:, which|, or |, and | for the one|;|$)`)

// paste adds the line of a finding to the spec, and reports whether it has one.
func (u *user) paste(f finding.Finding) bool {
	m := pasteable.FindStringSubmatch(f.Text)
	if m == nil || strings.Contains(f.Text, "looks like a secret") {
		return false
	}
	line := m[1]
	if name := valueName.FindStringSubmatch(line); name != nil {
		line = strings.Replace(line, `"..."`, fmt.Sprintf("%q", cmp.Or(u.values[name[1]], "1")), 1)
	}
	same := slices.IndexFunc(u.pasted, func(have string) bool { return isList(have) && isList(line) })
	switch {
	case slices.Contains(u.pasted, line):
		return false
	case same >= 0: // two lists are one
		more, _, _ := strings.Cut(line[strings.Index(line, "[")+1:], "]")
		u.pasted[same] = strings.Replace(u.pasted[same], "]", ", "+more+"]", 1)
	default:
		u.pasted = append(u.pasted, line)
	}
	text := "package cluster\n\ncluster: {\n\t" + strings.Join(u.pasted, "\n\t") + "\n}\n"
	return os.WriteFile(filepath.Join(u.dir, "pasted.cue"), []byte(text), 0o644) == nil
}

func isList(line string) bool { return strings.Contains(line, " profiles: [") }

var valueName = regexp.MustCompile(`values: ([A-Za-z0-9_]+): "\.\.\."`)

// builds wants a bundle, or else nothing left but what the author has to change.
func (u *user) builds(t *testing.T, left finding.List, want []finding.ID) {
	t.Helper()
	var ids []finding.ID
	for _, f := range left {
		if !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	if !slices.Equal(ids, want) {
		t.Errorf("no line to paste for %v, after %q", left, u.pasted)
	}
	if len(left) > 0 {
		return
	}
	var said bytes.Buffer
	if code := run([]string{"build", u.dir}, &said, &said); code != exitGood {
		t.Errorf("build exits %d:\n%s", code, &said)
	}
}
