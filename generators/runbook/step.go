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
	Order  string   // "parallel", "serial", or a risky one, "canary" or "rolling": sh/order.sh
	Needs  []string // IDs of steps that come before
	Danger string   // what the operator agrees to; empty for a harmless step
	Undo   string   // what undo does, or "nothing: ..." or "irreversible: ..."

	body     string   // names of files in sh/steps, without .sh: the step and what it shares with others
	argument string   // what tells two steps with one body apart
	files    []string // of the bundle that decide what it does, or folders of them ("nfs/"): no other goes to its hosts
	facts    []artifact.Var
}

// row is the step in the table.
func (s Step) row() artifact.Row {
	var uses, from []string
	for _, v := range s.facts {
		uses = append(uses, v.Name())
		from = append(from, v.Fields()...)
	}
	slices.Sort(from)
	return artifact.Row{
		From:     slices.Compact(from),
		Function: "step",
		Words:    []string{fmt.Sprintf("%02d", s.Number), s.ID},
		Lines: [][]artifact.Cell{
			{{Name: "title", Value: s.Title}},
			{{Name: "why", Value: s.Why}},
			{
				{Name: "hosts", Value: s.Hosts}, {Name: "order", Value: s.Order}, {Name: "needs", Value: strings.Join(s.Needs, " ")},
				{Name: "undo", Value: s.Undo},
			},
			{{Name: "danger", Value: s.Danger}},
			{{Name: "body", Value: s.body}, {Name: "argument", Value: s.argument}, {Name: "files", Value: strings.Join(s.files, " ")}, {Name: "facts", Value: strings.Join(uses, " ")}},
		},
	}
}

// variables are the facts of all steps, each once.
func variables(steps []Step) ([]artifact.Var, error) {
	var vars []artifact.Var
	told := map[string]artifact.Var{}
	for _, s := range steps {
		for _, v := range s.facts {
			before, ok := told[v.Name()]
			if ok && !before.Equal(v) {
				return nil, fmt.Errorf("step %s: the variable %s means something else in an earlier step", s.ID, v.Name())
			}
			if !ok {
				told[v.Name()] = v
				vars = append(vars, v)
			}
		}
	}
	return vars, nil
}

// labels writes a node's own labels as k=v,k=v; the schema keeps commas and blanks out of both.
func labels(n schema.Node) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
		out = append(out, k+"="+n.Labels[k])
	}
	return strings.Join(out, ",")
}
