package compose

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"skep.dev/schema/finding"
)

var update = flag.Bool("update", false, "rewrite what the archives want")

// archive is a stack in testdata: what the spec says about it, its files, and what reading it gives.
type archive struct {
	*txtar.Archive
	request Request
	fsys    fstest.MapFS
	want    string
}

// wantFile is the part of an archive that is no file of the stack.
const wantFile = "want"

func readArchive(t testing.TB, file string) archive {
	t.Helper()
	parsed, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := archive{Archive: parsed, fsys: fstest.MapFS{}, request: Request{Name: "shop", Values: map[string]string{}}}
	for line := range strings.Lines(string(parsed.Comment)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "compose":
			a.request.Files = words[1:]
		case words[0] == "profiles":
			a.request.Profiles = words[1:]
		default:
			name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if !ok {
				t.Fatalf("%s: want compose, profiles or NAME=value, got %q", file, line)
			}
			a.request.Values[name] = value
		}
	}
	for _, f := range parsed.Files {
		if f.Name == wantFile {
			a.want = string(f.Data)
			continue
		}
		a.fsys[f.Name] = &fstest.MapFile{Data: f.Data}
		if len(a.request.Files) == 0 {
			a.request.Files = []string{f.Name}
		}
	}
	return a
}

// check compares what was read with what the archive wants, or rewrites that.
func (a archive) check(t *testing.T, file, got string) {
	t.Helper()
	if got == a.want {
		return
	}
	if !*update {
		t.Errorf("got:\n%s\nwant:\n%s", got, a.want)
		return
	}
	a.Files = append([]txtar.File{}, a.Files...)
	for i, f := range a.Files {
		if f.Name == wantFile {
			a.Files = append(a.Files[:i], a.Files[i+1:]...)
			break
		}
	}
	a.Files = append(a.Files, txtar.File{Name: wantFile, Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(a.Archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func archives(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no archives: ", err)
	}
	return files
}

// TestBad holds each line about files that are wrong, and that each kind of finding is shown by one of them.
func TestBad(t *testing.T) {
	shown := map[finding.ID]bool{}
	for _, file := range archives(t, "testdata/bad/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a := readArchive(t, file)
			p, found := Read(a.fsys, same, a.request)
			if len(found) == 0 {
				t.Fatal("nothing was found")
			}
			for _, f := range found {
				shown[f.ID] = true
				if p != nil && f.Level == finding.Mistake {
					t.Error("a project with a mistake")
				}
				if f.File != "" && f.Line == 0 || f.File == "" && !strings.HasPrefix(f.Path, "stacks.shop.") || strings.Contains(f.Error(), "\n") {
					t.Errorf("no place, or more than a line: %+v", f)
				}
			}
			a.check(t, file, found.Error()+"\n")
		})
	}
	for _, k := range finding.ComposeKinds() {
		if !shown[k.ID] {
			t.Errorf("no archive shows %s", k.ID)
		}
	}
}
