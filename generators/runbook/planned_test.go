package runbook_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/plan"
	"skep.dev/generators/runbook"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// Each edit of a living cluster: the steps that find something to do are those that the plan between the two bundles names, but
// for cleanup, which keeps a secret's last revision.
func TestLongPlannedSteps(t *testing.T) {
	for _, e := range []struct{ name, old, text string }{
		{"a port", access, `exposures: chat: {port: 6667, proto: "tcp", on: ["workers"], from: ["users"], why: "chat"}`},
		{"a label", access, `nodes: w1: labels: disk: "ssd"`},
		{"a client", access, `certificates: clients: ["nuvla", "operators", "backup"]`},
		{"a secret", access, `services: monitoring: grafana: revision: 2`},
		{"a domain", `domain: "target.example.org"`, `domain: "target.example.net"`},
	} {
		t.Run(e.name, func(t *testing.T) {
			s := settled(t, target(t))
			before := s.read()
			s.build(edited(t, e.old, e.text))
			after := s.read()
			p, err := plan.Compare(before, after)
			must(t, err)
			var told []string
			for _, c := range p.Steps {
				told = append(told, c.Step)
			}
			did := done(t, s.want(0, "run", "--yes", "--json").stdout)
			told = slices.DeleteFunc(told, func(step string) bool { return step == "cleanup" && !slices.Contains(did, step) })
			if !slices.Equal(told, did) {
				t.Errorf("the plan told of %q, and the run did %q", told, did)
			}
		})
	}
}

// done are the steps that did something, each once.
func done(t *testing.T, log string) []string {
	t.Helper()
	var steps []string
	for text := range strings.Lines(log) {
		var line struct{ Step, Status string }
		if json.Unmarshal([]byte(text), &line) == nil && line.Status == "DONE" && !slices.Contains(steps, line.Step) {
			steps = append(steps, line.Step)
		}
	}
	if len(steps) == 0 {
		t.Errorf("no step did anything:\n%s", log)
	}
	return steps
}

// access is where the example's spec has room for one more field.
const access = "\taccess: {"

// edited is the cluster of the example with a text of its spec replaced, or a field added.
func edited(t *testing.T, old, text string) *schema.Cluster {
	t.Helper()
	b, err := os.ReadFile("../../examples/target/cluster.cue")
	must(t, err)
	if !strings.Contains(string(b), old) {
		t.Fatalf("examples/target has no %q", old)
	}
	if old == access {
		text += "\n\n" + access
	}
	file := filepath.Join(t.TempDir(), "cluster.cue")
	must(t, os.WriteFile(file, []byte(strings.Replace(string(b), old, text, 1)), 0o644))
	c, _, err := spec.Load(file)
	must(t, err)
	share(c, "/var/lib/share", "any")
	return c
}

// A step whose row does not tell of a file sends it nowhere: what a plan says of files is true.
func TestRowTellsOfFiles(t *testing.T) {
	s := newSandbox(t, target(t))
	files := slices.DeleteFunc(s.files(), func(f artifact.File) bool { return f.Path == artifact.ManifestName })
	for i, f := range files {
		if f.Path != runbook.Table {
			continue
		}
		files[i].Data = []byte(strings.Replace(string(f.Data), "files='firewall/'", "files='nfs/'", 1))
		must(t, os.WriteFile(filepath.Join(s.bundle, f.Path), files[i].Data, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(s.bundle, artifact.ManifestName), artifact.Manifest(files).Data, 0o644))
	r := s.want(0, "run", "--dry-run", "--only", "firewall")
	contains(t, r.stdout, "UNKNOWN", "the step firewall wants firewall/skep-firewall.sh, and its row does not tell of it")
	r = s.want(1, "run", "--yes", "--only", "firewall")
	contains(t, r.stdout, "FAILED", "its row does not tell of it")
}

// read reads the bundle for a plan.
func (s *sandbox) read() *plan.Bundle {
	s.t.Helper()
	b, err := plan.Read(s.bundle, s.files())
	must(s.t, err)
	return b
}

// files are those of the bundle.
func (s *sandbox) files() []artifact.File {
	s.t.Helper()
	var files []artifact.File
	must(s.t, filepath.WalkDir(s.bundle, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.bundle, path)
		must(s.t, err)
		data, err := os.ReadFile(path)
		files = append(files, artifact.File{Path: name, Data: data})
		return err
	}))
	return files
}
