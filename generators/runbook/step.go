package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// Step is one step of the runbook, as list and plan show it.
type Step struct {
	Number int    // orders the steps; with gaps
	ID     string // "engine"; stable, users name it on the command line
	Title  string
	Why    string
	Hosts  string   // "operator" (the machine that runs the runbook), "all", "managers", "workers", "first manager", "other managers" or "duty NAME..."
	Order  string   // "parallel", "serial", or "canary": one host of each class, then the others
	Needs  []string // IDs of steps that come before
	Danger string   // what the operator agrees to; empty for a harmless step
	Undo   string   // what undo does, or "nothing: ..." or "irreversible: ..."

	script  string // name of the body, sh/steps/script.sh
	library string // name of what the body shares with another one, sh/library.sh, or empty
	header  []artifact.Var
}

// file is the step's script: its facts, the body and the words that runbook.sh shows.
func (s Step) file() (artifact.File, error) {
	text, err := body("sh/steps/" + s.script + ".sh")
	if err != nil {
		return artifact.File{}, err
	}
	tail, err := body("sh/steps/tail.sh")
	if err != nil {
		return artifact.File{}, err
	}
	if s.library != "" {
		library, err := body("sh/" + s.library + ".sh")
		if err != nil {
			return artifact.File{}, err
		}
		text += "\n" + library
	}
	header := []artifact.Var{
		artifact.String("step_id", s.ID),
		artifact.String("step_title", s.Title),
		artifact.String("step_why", s.Why),
		artifact.String("step_hosts", s.Hosts),
		artifact.String("step_order", s.Order),
		artifact.String("step_needs", strings.Join(s.Needs, " ")),
		artifact.String("step_danger", s.Danger),
		artifact.String("step_undo", s.Undo),
	}
	path := fmt.Sprintf("runbook/%02d-%s.sh", s.Number, s.ID)
	return sourced(artifact.Script(path, append(header, s.header...), text+"\n"+tail)), nil
}

// labels writes a node's own labels as k=v,k=v; the schema keeps commas and blanks out of both.
func labels(n schema.Node) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
		out = append(out, k+"="+n.Labels[k])
	}
	return strings.Join(out, ",")
}
