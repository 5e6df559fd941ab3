package stacks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// order puts the stacks behind skep's own, each behind those whose networks it uses, and otherwise by name; the runbook
// deploys them in that order.
func (j *joiner) order() {
	o := &orderer{joiner: j, done: map[string]bool{}}
	for _, s := range j.Stacks {
		o.visit(s)
	}
}

// orderer goes from stack to stack, the others first.
type orderer struct {
	*joiner
	done map[string]bool
	path []string // that led to the stack which is looked at
}

func (o *orderer) visit(s schema.Stack) {
	if i := slices.Index(o.path, s.Name); i >= 0 {
		o.circle(o.path[i:])
		return
	}
	if o.done[s.Name] || s.Project == nil {
		return
	}
	o.path = append(o.path, s.Name)
	for _, name := range s.After() {
		if other, ok := o.Stacks.Named(name); ok && name != s.Name {
			o.visit(other)
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.done[s.Name] = true
	o.Rows.Deploys = append(o.Rows.Deploys, schema.Deploy{Name: s.Name, Number: number, Why: "your own: " + strings.Join(s.Compose, ", ")})
}

// circle tells of stacks each of which uses a network of the next one.
func (o *orderer) circle(names []string) {
	var fields, waits []string
	for i, name := range names {
		s, _ := o.Stacks.Named(name)
		next := names[(i+1)%len(names)]
		for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
			if s.Networks[network].Stack == next {
				fields = append(fields, s.Field("networks", network))
				break
			}
		}
		waits = append(waits, fmt.Sprintf("%s waits for %s (%s)", name, next, fields[i]))
	}
	o.field(finding.StackCycle, fields[0], fmt.Sprintf("%s: none of them can be deployed first; let one stack make the networks that they share",
		strings.Join(waits, ", ")))
}
