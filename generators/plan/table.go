package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"skep.dev/generators/artifact"
)

// step is a row of the runbook's table.
type step struct {
	number int
	id     string
	cells  map[string]string
}

// table is what the spec decides of the runbook, or of another script: facts alone.
type table struct {
	facts map[string]artifact.Fact
	steps []step
}

func readTable(f artifact.File) (table, error) {
	t := table{facts: map[string]artifact.Fact{}}
	facts, calls, err := artifact.Facts(f)
	if err != nil {
		return t, err
	}
	for _, v := range facts {
		t.facts[v.Name] = v
	}
	for _, c := range calls {
		s, err := stepOf(c)
		if err != nil {
			return t, fmt.Errorf("%s: %w", f.Path, err)
		}
		t.steps = append(t.steps, s)
	}
	return t, nil
}

// stepOf reads "step NUMBER ID NAME=VALUE...".
func stepOf(c artifact.Call) (step, error) {
	if len(c) < 3 || c[0] != "step" {
		return step{}, fmt.Errorf("%.40q: want a step with a number and a name", c)
	}
	number, err := strconv.Atoi(c[1])
	if err != nil {
		return step{}, fmt.Errorf("step %.20q: want a number", c[1])
	}
	s := step{number: number, id: c[2], cells: map[string]string{}}
	for _, cell := range c[3:] {
		name, value, _ := strings.Cut(cell, "=")
		s.cells[name] = value
	}
	return s, nil
}

// words are those of a fact, which need not be there.
func (t table) words(name string) []string { return t.facts[name].Words }

// differs reports whether a fact has other words than in the other table.
func (t table) differs(name string, other table) bool {
	return !slices.Equal(t.facts[name].Words, other.facts[name].Words)
}
