// Package check holds the rules of a cluster that CUE cannot hold, or only at a price: arithmetic on addresses, ports and
// versions.
package check

import (
	"fmt"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

type checker struct {
	*schema.Cluster
	spec  *written.Spec
	found finding.List
}

// Find gives the mistakes of a cluster that the schema accepts, so that every field has a value of the right form: each
// once, in file order. The spec tells which of several fields its author wrote.
func Find(c *schema.Cluster, spec *written.Spec) finding.List {
	k := &checker{Cluster: c, spec: spec}
	k.derived()
	k.prefixes()
	k.addresses()
	k.hostKeys()
	k.subnets()
	k.pools()
	k.nuvla()
	k.exposures()
	k.forward()
	k.bridges()
	k.ports()
	k.tests()
	k.waivers()
	k.directories()
	k.shares()
	k.versions()
	k.certificates()
	k.remarks()
	k.roots()
	k.vpnAccess()
	k.mesh()
	return slices.Compact(spec.Locate(k.found))
}

// derived refuses rows of skep's own: CUE takes one that a default would allow, and it would differ from the field that
// it follows from.
func (k *checker) derived() {
	for _, name := range written.Derived() {
		if k.spec.Has(name) {
			k.add(finding.DerivedSet, name, written.DerivedRule)
		}
	}
}

// remarks makes those of the services' rows that are mistakes; lint makes the others.
func (k *checker) remarks() {
	for _, r := range k.Remarks() {
		if id := finding.ID(r.ID); finding.LevelOf(id) == finding.Mistake {
			k.add(id, r.Field, "%s", r.Text)
		}
	}
}

// wrong notes a value that is not what its field wants.
func (k *checker) wrong(path, rule string, args ...string) {
	k.add(finding.WrongValue, path, rule, args...)
}

// add notes a mistake at a field.
func (k *checker) add(id finding.ID, path, rule string, args ...string) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	k.found = append(k.found, finding.Finding{ID: id, Level: finding.Mistake, Path: path, Text: fmt.Sprintf(rule, values...)})
}

// nodePath is the path of a node's field.
func nodePath(n schema.Node, field string) string {
	return schema.JoinPath("nodes", n.Name) + "." + field
}
