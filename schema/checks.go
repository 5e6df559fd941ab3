package schema

import (
	"cmp"
	"fmt"
	"slices"
)

// checker finds what CUE cannot, or could only at a price: arithmetic on addresses, ports and versions.
// It runs on a cluster that the schema accepts, so every field has a value of the right form.
type checker struct {
	*Cluster
	found Mistakes
}

// check gives the mistakes that only show once the cluster is decoded, in file order, each once.
func (c *Cluster) check() Mistakes {
	k := &checker{Cluster: c}
	k.derived()
	k.prefixes()
	k.addresses()
	k.subnets()
	k.pools()
	k.exposures()
	k.forward()
	k.bridges()
	k.ports()
	k.tests()
	k.directories()
	k.versions()
	k.certificates()
	k.authority()
	k.endpoints()
	k.vpnAccess()
	k.mesh()
	slices.SortStableFunc(k.found, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(k.found)
}

// derived refuses rows of skep's own: CUE takes one that a default would allow, and it would differ from the field that
// it follows from.
func (k *checker) derived() {
	for _, name := range []string{"secrets", "networks"} {
		if k.isSet(name) {
			k.add(name, derivedRule)
		}
	}
}

// add notes a mistake at a field.
func (k *checker) add(path, rule string, args ...string) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	k.found = append(k.found, k.Mistake(path, fmt.Sprintf(rule, values...)))
}

// Mistake gives a mistake at the field's place in the spec, with what is written there.
func (c *Cluster) Mistake(path, rule string) Mistake {
	m := Mistake{Path: path, Rule: rule}
	m.File, m.Line, m.Column = c.Position(path)
	if c.source != nil && c.source.tree() != nil {
		elements := splitPath(path)
		if t, depth := c.source.tree().find(elements); depth == len(elements) {
			if m.Got = got(t); m.Got == "{...}" || m.Got == "[...]" {
				m.Got = ""
			}
		}
	}
	return m
}

// isSet reports whether the spec has the field, so that its author can change it there.
func (c *Cluster) isSet(path string) bool {
	if c.source == nil || c.source.tree() == nil {
		return false
	}
	elements := splitPath(path)
	_, depth := c.source.tree().find(elements)
	return depth == len(elements)
}

// isValue reports whether the spec has the field, and a value there and not further fields.
func (c *Cluster) isValue(path string) bool { return c.isSet(path) && c.Mistake(path, "").Got != "" }

// settable gives the first of the paths that the spec has, or else the first.
func (c *Cluster) settable(paths ...string) string {
	for _, p := range paths {
		if c.isSet(p) {
			return p
		}
	}
	return paths[0]
}

// nodePath is the path of a node's field.
func nodePath(n Node, field string) string { return joinPath([]string{"nodes", n.Name}) + "." + field }
