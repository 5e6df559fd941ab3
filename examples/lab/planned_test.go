package lab

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// planned is what skep plan says between two bundles of what this compares with a cluster.
type planned struct {
	Firewall struct {
		Nodes []struct{ Change, Node string }
	}
	Stacks []struct {
		Change, Stack, Kind, Name string
		Names                     []string
	}
	Steps []struct{ Step string }
}

// kept is a copy of the bundle as it is now.
func (l *lab) kept(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(l.bundle)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plan asks skep what applying the bundle after the old one would do. No cluster is asked.
func (l *lab) plan(t *testing.T, old string) planned {
	t.Helper()
	out, err := exec.Command(l.skep, "plan", old, l.bundle, "--format", "json").Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // there are changes
	}
	var p planned
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil {
		t.Fatalf("skep plan: %v\n%s", err, out)
	}
	return p
}

// covers wants the plan to tell of each step that did something on a host, but for those that look at what the others left.
func (p planned) covers(t *testing.T, done []string) {
	t.Helper()
	follow := followers(done)
	for _, did := range done {
		name, _, _ := strings.Cut(did, " ")
		if !follow.MatchString(did) && !slices.ContainsFunc(p.Steps, func(s struct{ Step string }) bool { return s.Step == name }) {
			t.Errorf("the step %s did something, and skep plan did not tell of it", did)
		}
	}
}

// replaced are the services of which the plan says that their tasks are others afterwards, as held calls them.
func (p planned) replaced() []string {
	names := map[string]bool{}
	for _, c := range p.Stacks {
		switch {
		case c.Kind == "stack":
			for _, name := range c.Names {
				names[c.Stack+"_"+name] = true
			}
		case c.Kind == "service" && c.Change != "adjusted":
			names[c.Stack+"_"+c.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// compare holds what happened against the plan: the tasks that are others are those that it names, each of them. With another
// set of nodes tasks come and go by themselves, and an engine that starts anew takes its tasks along: the plan tells of nodes,
// and the dry run of engines.
func (p planned) compare(t *testing.T, before, after map[string]string) {
	t.Helper()
	if len(p.Firewall.Nodes) > 0 {
		return
	}
	var others []string
	for name := range maps.Keys(before) {
		if strings.HasPrefix(name, "docker ") && before[name] != after[name] {
			return
		}
	}
	for _, all := range []map[string]string{before, after} {
		for name := range all {
			if stack, _, ok := strings.Cut(name, "_"); ok && !strings.Contains(stack, " ") && before[name] != after[name] && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	slices.Sort(others)
	if told := p.replaced(); !slices.Equal(told, others) {
		t.Errorf("skep plan told of new tasks of %q, and there are some of %q", told, others)
	}
}
