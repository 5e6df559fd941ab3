package generators_test

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// registration is a place where the small service of testdata/service says that it is there: a line that is added to a file
// below another one, or a line of a file of its own, or such a file. The finder is the package whose build or tests miss it.
type registration struct{ file, after, line, finder string }

// The files that the service shares with others, and what it adds to each.
var shared = []registration{
	{"schema/services.cue", "#Services: {", "\tloki?: #Loki & {_first: _firstManager}", "./schema"},
	{"schema/services.go", "type Services struct {", "\tLoki *Loki `json:\"loki,omitempty\"`", "./schema"},
	{"generators/stack/stack.go", "return []service{", "\t\t{\"loki\", loki, nil},", "./generators/stack"},
	{"examples/everything/cluster.cue", "\tservices: {", "\t\tloki: {}", "./generators/stack"},
}

const lokiType = `
// Loki keeps the logs of the tasks.
type Loki struct {
	Image     string    ` + "`json:\"image\"`" + `
	Node      string    ` + "`json:\"node\"`" + `
	Revision  int       ` + "`json:\"revision\"`" + `
	Port      uint16    ` + "`json:\"port\"`" + `
	UID       int       ` + "`json:\"uid\"`" + `
	Resources Resources ` + "`json:\"resources\"`" + `
}
`

// Its registrations: without one of them something does not build, or one of the tests fails that every service has.
var registrations = append([]registration{
	{"schema/loki.cue", "", "#references:", "./schema/spec"},
	{"schema/loki.cue", "", "secrets:", "./generators/stack"},
	{"schema/loki.cue", "", "deploys:", "./generators/stack"},
	{"schema/loki.cue", "", "texts:", "./generators/review"},
	{"schema/loki.cue", "", "", "./schema"},
	{"generators/stack/loki.go", "", "", "./generators/stack"},
	{"generators/review/services/loki.md", "", "", "./generators/review"},
}, shared...)

// missed is the line of a row, and what says that it is not there.
type missed struct{ file, line, says string }

// Rows that are missed each in words of its own, by the package and the tests that miss them: those of the small service, and of
// others where it has none of a kind.
var others = map[string][]missed{
	"./generators/stack ^(TestRoutesHaveTheirRows|TestPublishedPorts|TestAlertsAreChosen|TestRows|TestTasksHaveTheirRows)$": {
		{"loki.cue", "duties:", "loki_loki: no node has the duty"},
		{"loki.cue", "images:", "image grafana/loki:3.5.0 has no field in the spec"},
		{"loki.cue", "scrapes:", "loki_loki is on the network"},
		{"monitoring.cue", "Prometheus: {number: 30", "a router answers at /prometheus, and no page is there"},
		{"monitoring.cue", `m.alerts.path)/": "401|403"`, "nobody asks the page Alertmanager"},
		{"traefik.cue", `ports.dashboard)/dashboard/": "401"`, "nobody asks the page dashboard"},
		{"traefik.cue", `"http://\(domain)/":`, "nobody asks http://"},
		{"traefik.cue", "dashboard: {proto:", "the firewall does not know port 8080"},
		{"s3.cue", "points: s3:", "the router s3 is of the entry point s3, which there is not"},
		{"nfs.cue", "alerts: nfs:", "no example has the alerts of nfs.rules.yaml"},
	},
	"./schema/spec ^TestLoadExamples$": {
		{"nfs.cue", "#OwnRows:", "exposures.nfs"},
	},
	"./generators ^TestExamples$/^(target|host)$": {
		{"nfs.cue", "collectors:", "stacks/monitoring/compose.yaml: line"},
		{"nfs.cue", "directories:", `readonly -a directories=()`},
		{"traefik.cue", `"update-ca-certificates":`, "host/bundle/runbook/cluster.sh: line"},
	},
	"./cmd/skep ^TestScripts$/^(vet-clear|vet-acme|vet-versions)$": {
		{"nfs.cue", "clear: NFS:", "FAIL: TestScripts/vet-clear"},
		{"traefik.cue", "roots: (field):", "FAIL: TestScripts/vet-acme"},
		{"traefik.cue", `"traefik-labels":`, "FAIL: TestScripts/vet-versions"},
	},
}

// forgetEach costs four minutes of processor time: each registration is a build. .ci/full says it.
var forgetEach = flag.Bool("forget", false, "TestNewService also forgets each registration in turn")

// TestNewService adds a service to a copy of the tree, which costs at most seven files and lets all tests of services pass.
// With -forget each of its registrations is forgotten in turn, and found.
func TestNewService(t *testing.T) {
	tree := t.TempDir()
	for _, dir := range []string{"schema", "generators", "examples", "cmd"} {
		copyTree(t, filepath.Join("..", dir), filepath.Join(tree, dir))
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		write(t, filepath.Join(tree, file), read(t, filepath.Join("..", file)))
	}
	touched := len(shared)
	err := filepath.WalkDir("testdata/service", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			touched++
		}
		return err
	})
	if err != nil || touched > 7 {
		t.Errorf("a service costs %d files, want 7 or fewer: %v", touched, err)
	}
	copyTree(t, "testdata/service", tree)
	// A script writes it, beside a registry, as others write the goldens.
	if err := os.Remove(filepath.Join(tree, "examples/everything/images.lock")); err != nil {
		t.Fatal(err)
	}
	for _, r := range shared {
		path := filepath.Join(tree, r.file)
		text := strings.Replace(read(t, path), r.after+"\n", r.after+"\n"+r.line+"\n", 1)
		if strings.HasSuffix(r.file, "services.go") {
			text += lokiType
		}
		write(t, path, text)
	}
	if out, err := judge(tree, "./schema", "./schema/spec", "./generators/stack", "./generators/review"); err != nil {
		t.Fatalf("the service does not fit: %v\n%s", err, out)
	}
	if !*forgetEach {
		return
	}
	for _, r := range registrations {
		forget(t, tree, r)
	}
	for finder, rows := range others {
		forgetAll(t, tree, finder, rows)
	}
}

// forgetAll takes several rows away at once, since each look costs a build: each of them is missed by its name.
func forgetAll(t *testing.T, tree, finder string, rows []missed) {
	t.Helper()
	whole := map[string]string{}
	for _, r := range rows {
		path := filepath.Join(tree, "schema", r.file)
		text := read(t, path)
		if whole[path] == "" {
			whole[path] = text
		}
		write(t, path, without(t, path, r.line))
	}
	dir, tests, _ := strings.Cut(finder, " ")
	out, _ := run(tree, tests, dir)
	for _, r := range rows {
		if !strings.Contains(out, r.says) {
			t.Errorf("%s: nothing misses %q\n%s", r.file, r.line, out)
		}
	}
	for path, text := range whole {
		write(t, path, text)
	}
}

// forget takes one registration away, and puts it back.
func forget(t *testing.T, tree string, r registration) {
	t.Helper()
	path := filepath.Join(tree, r.file)
	whole := read(t, path)
	defer func() { write(t, path, whole) }()
	if r.line != "" {
		write(t, path, without(t, path, r.line))
	} else if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if out, err := judge(tree, r.finder); err == nil {
		t.Errorf("%s: nothing misses %q\n%s", r.file, strings.TrimSpace(r.line), out)
	}
}

// without gives a file without its lines that contain a text.
func without(t *testing.T, path, text string) string {
	t.Helper()
	whole, rest := read(t, path), ""
	for line := range strings.Lines(whole) {
		if !strings.Contains(line, text) {
			rest += line
		}
	}
	if rest == whole {
		t.Fatalf("%s has no line %q", path, text)
	}
	return rest
}

// judge builds packages of the tree and runs their tests that hold every service.
func judge(tree string, packages ...string) (string, error) {
	return run(tree, "^(TestTypesMirrorSchema|TestReferencesAreListed|TestRows|TestServicesAreDeployed|TestTasksHaveTheirRows|TestTextsAreUsed)$", packages...)
}

// run runs tests of the tree by name.
func run(tree, name string, packages ...string) (string, error) {
	tests := exec.Command("go", append([]string{"test", "-vet=off", "-run", name}, packages...)...)
	tests.Dir = tree
	out, err := tests.CombinedOutput()
	return string(out), err
}

// copyTree copies a directory without what no test here needs.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && slices.Contains([]string{"conformance", "lab", "testdata/service", "runbook/testdata"}, strings.TrimPrefix(rest, "generators/")):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		write(t, filepath.Join(to, rest), read(t, path))
		return os.Chmod(filepath.Join(to, rest), info.Mode())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
