package compose

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"skep.dev/schema/finding"
)

// seen is a file system that notes what is opened, and refuses one file.
type seen struct {
	fstest.MapFS
	opened map[string]bool
	locked string
}

func (s seen) Open(name string) (fs.File, error) {
	s.opened[name] = true
	if name == s.locked {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return s.MapFS.Open(name)
}

// TestNothingElseIsRead puts on disk, into the home directory and into the environment what another reader would take: the
// stack becomes what its file system says.
func TestNothingElseIsRead(t *testing.T) {
	dir := t.TempDir()
	poison := map[string]string{
		".env": "TAG=poison\nCOMPOSE_FILE=poison.yaml\nCOMPOSE_PROFILES=debug\n", "compose.yaml": "services: {poison: {image: poison}}", "compose.override.yaml": "services: {poison: {image: poison}}",
		"base.yaml": "services: {base: {image: poison}}", "web.env": "A=poison", "settings.conf": "poison", "shop/.env": "TAG=poison", "shop/base.yaml": "services: {base: {image: poison}}", "shop/web.env": "A=poison",
	}
	for name, text := range poison {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, name := range []string{"TAG", "TOKEN", "A", "COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "COMPOSE_PROFILES"} {
		t.Setenv(name, "poison")
	}
	t.Setenv("HOME", dir)
	fsys := seen{fstest.MapFS{
		"shop/compose.yaml": {Data: []byte(`
version: "3.8"
services:
  web:
    extends: {file: base.yaml, service: base}
    command: ["${TAG:-1}"]
    env_file: [web.env, {path: none.env, required: false}]
    environment: [TOKEN]
    tty: "yes"
    configs: [settings]
  debug: {image: "debug:1", profiles: [debug]}
networks: {front: {external: {name: front}}}
configs: {settings: {file: settings.conf}}
`)},
		"shop/base.yaml":     {Data: []byte("services: {base: {image: \"base:1\"}}")},
		"shop/web.env":       {Data: []byte("A=1")},
		"shop/settings.conf": {Data: []byte("right")},
	}, map[string]bool{}, ""}
	stderr := capture(t)
	p, found := Read(fsys, same, Request{Name: "shop", Files: []string{"shop/compose.yaml"}, Values: map[string]string{"TOKEN": "given"}, Profiles: []string{"!debug"}})
	if said := stderr(); said != "" {
		t.Errorf("printed %q", said)
	}
	if len(found) > 0 {
		t.Fatal(found)
	}
	if got := told(t, p) + string(p.Contents["shop/settings.conf"]); strings.Contains(got, "poison") || !strings.Contains(got, "base:1") || !strings.Contains(got, "right") {
		t.Errorf("got %s", got)
	}
	for name := range fsys.opened {
		if _, ok := fsys.MapFS[name]; !ok && name != "shop/none.env" && name != "shop" && name != "." {
			t.Errorf("opened %s", name)
		}
	}
}

// capture gives what was printed since, by whoever kept the files of the process as well.
func capture(t *testing.T) func() string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var kept [3]int
	for fd := 1; fd <= 2; fd++ {
		if kept[fd], err = syscall.Dup(fd); err == nil {
			err = syscall.Dup3(int(write.Fd()), fd, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func() string {
		for fd := 1; fd <= 2; fd++ {
			if err := syscall.Dup3(kept[fd], fd, 0); err != nil {
				t.Fatal(err)
			}
			syscall.Close(kept[fd])
		}
		write.Close()
		var said bytes.Buffer
		if _, err := io.Copy(&said, read); err != nil {
			t.Fatal(err)
		}
		return said.String()
	}
}

// TestFilesThatAreNone reads from a directory what no Compose file is: nothing hangs, and each has one line.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "spec")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(root, "dir.yaml"), 0o755),
		os.WriteFile(filepath.Join(dir, "outside.yaml"), []byte("services: {web: {image: poison}}"), 0o644),
		os.WriteFile(filepath.Join(root, "inside.yaml"), []byte("services: {web: {image: right}}"), 0o644),
		os.Symlink("../outside.yaml", filepath.Join(root, "out.yaml")),
		os.Symlink(filepath.Join(dir, "outside.yaml"), filepath.Join(root, "absolute.yaml")),
		os.Symlink("..", filepath.Join(root, "up")),
		os.Symlink("round.yaml", filepath.Join(root, "round.yaml")),
		os.Symlink("nowhere.yaml", filepath.Join(root, "dangling.yaml")),
		os.Symlink("inside.yaml", filepath.Join(root, "link.yaml")),
		syscall.Mkfifo(filepath.Join(root, "pipe.yaml"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"dir.yaml":        `stacks.shop.compose: "dir.yaml": is a directory: name a file in it`,
		"pipe.yaml":       `stacks.shop.compose: "pipe.yaml": is not a regular file`,
		"out.yaml":        `stacks.shop.compose: "out.yaml": is a link out of the spec's directory: bring the file itself`,
		"absolute.yaml":   `stacks.shop.compose: "absolute.yaml": is a link out of the spec's directory: bring the file itself`,
		"../outside.yaml": `stacks.shop.compose: "../outside.yaml": outside the spec's directory: bring the file below it, and name it from here`,
		"up/outside.yaml": `stacks.shop.compose: "up/outside.yaml": is a link out of the spec's directory: bring the file itself`,
		"round.yaml":      `stacks.shop.compose: "round.yaml": links in a circle`,
		"dangling.yaml":   `stacks.shop.compose: "dangling.yaml": no such file below the spec's directory`,
		"none.yaml":       `stacks.shop.compose: "none.yaml": no such file below the spec's directory`,
		"link.yaml":       "",
	} {
		_, found := Read(os.DirFS(root), same, Request{Name: "shop", Files: []string{name}})
		if got := found.Error(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if _, found := Read(os.DirFS(root), same, Request{Name: "shop"}); found.Error() != "stacks.shop.compose: want the path of a Compose file" {
		t.Errorf("no file: got %v", found)
	}
	locked := seen{fstest.MapFS{"web.yaml": {Data: []byte("services: {}")}}, map[string]bool{}, "web.yaml"}
	_, found := Read(locked, same, Request{Name: "shop", Files: []string{"web.yaml"}})
	if want := `stacks.shop.compose: "web.yaml": may not be read (permission denied)`; found.Error() != want {
		t.Errorf("got %s, want %s", found, want)
	}
}

// TestHostile reads what would keep a reader busy, or is no text.
func TestHostile(t *testing.T) {
	const web = "services:\n  web:\n    image: shop:1\n"
	many := func(n int, line string) string {
		var w strings.Builder
		for i := range n {
			fmt.Fprintf(&w, line, i)
		}
		return w.String()
	}
	for name, test := range map[string]struct {
		text string
		id   finding.ID
	}{
		"4,000 variables":     {web + "    command: \"" + strings.Repeat("${A:-b}", 4000) + "\"\n", finding.TooBig},
		"a text of 65 KiB":    {web + "    command: \"" + strings.Repeat("a", 65<<10) + "\"\n", finding.TooBig},
		"variables that grow": {web + "    command: \"" + strings.Repeat("${BIG}", 100) + "\"\n", finding.TooBig},
		"nested defaults":     {web + "    command: \"" + strings.Repeat("${A:-", 3000) + strings.Repeat("}", 3000) + "\"\n", finding.TooBig},
		"1 MiB and a byte":    {web + "#" + strings.Repeat("a", 1<<20), finding.TooBig},
		"501 services":        {"services:\n" + many(501, "  s%d: {image: \"a:1\"}\n"), finding.TooBig},
		"a list of 2,000":     {web + "    dns:\n" + many(2000, "      - \"10.0.0.%d\"\n"), finding.TooBig},
		"a mapping of 2,000":  {web + "    labels:\n" + many(2000, "      l%d: a\n"), finding.TooBig},
		"2,000 ports":         {web + "    ports: [\"1-900:1-900\", \"1000-1900:1000-1900\"]\n", finding.TooBig},
		"nested 20,000 deep":  {"services: " + strings.Repeat("[", 20000), finding.Syntax},
		"nested 200 deep":     {"services: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), finding.TooBig},
		"a key of 2,000":      {web + "    labels: {? " + strings.Repeat("a", 2000) + " : b}\n", finding.Syntax},
		"500 services that extend one of 900 labels": {"services:\n  s: {image: a, labels: {" + many(900, "l%d: a, ") + "}}\n" + many(499, "  t%d: {extends: s}\n"), finding.TooBig},
		"500 services with 100 labels by anchors":    {"x: &x {" + many(100, "l%d: a, ") + "}\nservices:\n" + many(500, "  t%d: {image: a, labels: *x}\n"), finding.TooBig},
		"UTF-16":               {"\xff\xfes\x00e\x00", finding.Syntax},
		"a program":            {"\x7fELF\x02\x01\x01\x00\x00", finding.Syntax},
		"Latin-1":              {web + "    labels: {a: gr\xfc\xdfe}\n", finding.Syntax},
		"nothing":              {"", finding.NoComposeFile},
		"blanks":               {" \n\n", finding.NoComposeFile},
		"a mark and nothing":   {"\ufeff", finding.NoComposeFile},
		"a control character":  {web + "    hostname: a\x01b\n", finding.Syntax},
		"terminal escapes":     {web + "    \"\\e[31mred\": 1\n", finding.ComposeRule},
		"a name with line end": {web + "    \"a\\nb\": 1\n", finding.ComposeRule},
		"a null in a name":     {web + "    \"a\\0b\": 1\n", finding.ComposeRule},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"web.yaml": {Data: []byte(test.text)}}
			_, found := Read(fsys, same, Request{Name: "shop", Files: []string{"web.yaml"}, Values: map[string]string{"BIG": strings.Repeat("a", 1000)}})
			if len(found) == 0 || found[0].ID != test.id {
				t.Fatalf("got %.300v, want %s", found, test.id)
			}
			for _, f := range found {
				if line := f.Error(); len(line) > 500 || strings.ContainsAny(line, "\n\x1b\x00") {
					t.Errorf("%q is no line for a terminal", line)
				}
			}
		})
	}
	env := fstest.MapFS{"web.yaml": {Data: []byte("services:\n" + many(20, "  s%d: {image: a, env_file: big.env}\n"))}, "big.env": {Data: []byte(strings.Repeat("A=1\n", 1<<18))}}
	if _, found := Read(env, same, Request{Name: "shop", Files: []string{"web.yaml"}}); len(found) == 0 || found[0].ID != finding.TooBig {
		t.Errorf("20 times an env_file of 1 MiB: got %v", found)
	}
	files := fstest.MapFS{}
	r := Request{Name: "shop"}
	for i := range maxFiles + 1 {
		name := fmt.Sprintf("%d.yaml", i)
		files[name] = &fstest.MapFile{Data: []byte(web)}
		r.Files = append(r.Files, name)
	}
	if _, found := Read(files, same, r); len(found) != 1 || found[0].ID != finding.TooBig {
		t.Errorf("17 files: got %v", found)
	}
}
