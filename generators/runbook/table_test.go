package runbook_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/runbook"
	"skep.dev/schema"
)

// tables are what a spec decides of the runbook; all else is the program.
var tables = []string{runbook.Table, runbook.Inventory}

func filesOf(t *testing.T, c *schema.Cluster) map[string][]byte {
	t.Helper()
	files, err := runbook.Files(c)
	must(t, err)
	all := map[string][]byte{}
	for _, f := range files {
		all[f.Path] = f.Data
	}
	return all
}

func tableOf(t *testing.T, c *schema.Cluster) string {
	t.Helper()
	return string(filesOf(t, c)[runbook.Table])
}

// Two clusters have the same program, to the byte, and an edit of a spec changes its tables alone.
func TestOneProgram(t *testing.T) {
	most, fewest, edited := load(t, "everything"), load(t, "host"), load(t, "host")
	edited.Firewall.Rollback++
	edited.Engine.TLS += "/$(id)"
	want := filesOf(t, most)
	delete(want, runbook.Known) // where the spec has keys, a table too
	for name, c := range map[string]*schema.Cluster{"another cluster": fewest, "an edit": edited} {
		got := filesOf(t, c)
		if a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
			t.Errorf("%s: the files are %v, want %v", name, a, b)
		}
		for path, data := range got {
			if !slices.Contains(tables, path) && !bytes.Equal(data, want[path]) {
				t.Errorf("%s: %s is another one", name, path)
			}
		}
	}
	if before, after := tableOf(t, fewest), tableOf(t, edited); before == after || strings.Count(before, "\n") != strings.Count(after, "\n") {
		t.Error("an edit of two fields is not two lines of the table")
	}
}

// A step's program has the facts that its row names and none of another step; each of them is read by the step.
func TestFactsOfAStep(t *testing.T) {
	dir := t.TempDir()
	c := load(t, "everything")
	files, err := runbook.Files(c)
	must(t, err)
	for _, f := range files {
		write(t, dir, f)
	}
	steps, err := runbook.Steps(c)
	must(t, err)
	lib, err := os.ReadFile("sh/lib.sh")
	must(t, err)
	told := regexp.MustCompile(`(?m)^(?:readonly|declare -a?r) (\w+)=`)
	want := map[string]string{
		"nodes": "", "stack": "", "managers": "swarm_port link_mtu", "networks": "cluster networks stacks",
		"firewall": "endings rules_paths rollback bridges reached",
	}
	for _, s := range steps {
		out, err := exec.Command("bash", "-c", `set -euo pipefail
			bundle=$1
			source "$1/runbook/inventory.sh"
			source "$1/runbook/transport.sh"
			read_steps
			step_text "$2"`, "text", dir, s.ID).Output()
		must(t, err)
		facts, body, _ := strings.Cut(string(out), "#!")
		body += string(lib)
		var names []string
		for _, m := range told.FindAllStringSubmatch(facts, -1) {
			if m[1] == "argument" {
				continue
			}
			names = append(names, m[1])
			if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(body) {
				t.Errorf("%s does not read %s", s.ID, m[1])
			}
		}
		if w, ok := want[s.ID]; ok && strings.Join(names, " ") != w {
			t.Errorf("%s has %s, want %s", s.ID, names, w)
		}
	}
}
