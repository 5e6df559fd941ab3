package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/docker/cli/cli/compose/convert"
	"github.com/moby/moby/api/types/swarm"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators"
	"skep.dev/schema/imported"
	"skep.dev/schema/spec"
)

// takenHead is a spec without its stacks.
const takenHead = `name: taken
kind: swarm
domain: example.org
nodes:
  m1: {address: 10.0.0.11, role: manager}
  w1: {address: 10.0.0.12, labels: {disk: ssd, zone: a}}
  w2: {address: 10.0.0.13, labels: {disk: ssd, zone: b}}
access: {management: [192.0.2.0/28], users: [198.51.100.0/24]}
engine: {source: present, versions: {from: "28.3"}}
services: {traefik: {certificate: {selfSigned: {}}}}
`

// takenValues are what somebody writes into the lines that init leaves open.
var takenValues = map[string]string{"LOG_SIZE": "20m", "REGION": "eu", "GREETING": "a b", "TAG": "2.7.1", "DOMAIN": "shop.example.org", "WORKERS": "3"}

// TestTakenOver: the first deploy over a stack that its authors deployed restarts the tasks that init has named, and no others.
func TestTakenOver(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "users"))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "compose.yaml"))
	if err != nil || len(files) < 13 {
		t.Fatalf("%d files, want 13 at least: %v", len(files), err)
	}
	var sources []imported.Source
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if !slices.Contains(refused, name) {
			sources = append(sources, imported.Source{Name: name, Files: []string{name + "/compose.yaml"}})
		}
	}
	stacks, found := imported.ReadStacks(os.DirFS(dir), func(name string) string { return name }, sources, imported.Running)
	if len(found) > 0 {
		t.Fatal(found)
	}
	text := takenHead + "network: {public: {name: " + stacks.Public + "}}\nstacks:\n" + filledIn(imported.YAML(stacks.List, "  "))
	if err := os.WriteFile(filepath.Join(dir, "cluster.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cluster, _, err := spec.Load(filepath.Join(dir, "cluster.yaml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	bundle, err := generators.Generate(cluster)
	if err != nil {
		t.Fatal(err)
	}
	emitted := filepath.Join(judge.Write(t, t.TempDir(), bundle), "stacks")
	for _, s := range stacks.List {
		t.Run(s.Name, func(t *testing.T) {
			before := tasks(t, s.Name, takenValues, filepath.Join(dir, s.Name))
			after := tasks(t, s.Name, nil, filepath.Join(emitted, s.Name))
			restarted := map[string]bool{}
			for _, r := range s.Restarts {
				for _, name := range r.Services {
					restarted[name] = true
				}
			}
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if differ := before[name] != after[name]; differ != restarted[name] {
					t.Errorf("%s: a restart: %t, and init says %t; the author's task\n%s\nthe bundle's\n%s", name, differ, restarted[name], before[name], after[name])
				}
			}
		})
	}
}

var (
	openLine = regexp.MustCompile(`(?m)^( +)# `)
	toFill   = regexp.MustCompile(`([A-Z_]+): "\.\.\."`)
)

// filledIn is what somebody makes of the lines that are left open.
func filledIn(stacks string) string {
	return toFill.ReplaceAllStringFunc(openLine.ReplaceAllString(stacks, "$1"), func(line string) string {
		name := toFill.FindStringSubmatch(line)[1]
		return name + `: "` + takenValues[name] + `"`
	})
}

// tasks are the services' tasks as the engine compares them: an update of a service with the same task restarts nothing, and
// neither does another placement that the node still meets.
func tasks(t *testing.T, name string, values map[string]string, dir string) map[string]string {
	t.Helper()
	loaded, err := loadFiles(dir, values, filepath.Join(dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	services, err := convert.Services(context.Background(), convert.NewNamespace(name), loaded, manager{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, s := range services {
		task := s.TaskTemplate
		task.Placement = nil
		c := task.ContainerSpec
		slices.SortFunc(task.Networks, func(a, b swarm.NetworkAttachmentConfig) int { return cmp.Compare(a.Target, b.Target) })
		slices.SortFunc(c.Configs, func(a, b *swarm.ConfigReference) int { return cmp.Compare(a.ConfigName, b.ConfigName) })
		slices.SortFunc(c.Secrets, func(a, b *swarm.SecretReference) int { return cmp.Compare(a.SecretName, b.SecretName) })
		text, err := json.MarshalIndent(task, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}
