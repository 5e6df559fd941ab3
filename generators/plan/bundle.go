// Package plan says what applying one bundle after another would do.
package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/generators/runbook"
	"skep.dev/generators/tls"
)

// Bundle is what a plan needs to know of a bundle, read back from its files.
type Bundle struct {
	name     string // as the user calls it
	nodes    []node // sorted by name
	rulesets map[string][]*proof.Ruleset
	openings map[string][]proof.Opening // by class
	settings map[string]string          // by field
	stacks   map[string]stackFiles      // by name
	engines  map[string]engineSettings  // by role
	manifest manifest
	own      []string // files that say nothing about the cluster

	table, certificates table // of the runbook, and of the script for certificates
}

// node is a line of the inventory.
type node struct{ name, address, role, class, duties string }

// Wants tells whether Read wants to see this file of a bundle.
func Wants(name string) bool {
	return name == artifact.FormatName || name == artifact.AttributesName || name == runbook.Inventory || name == runbook.Table || name == tls.Script || firewall.IsRuleset(name) || inStack(name) || isEngineFile(name) || slices.ContainsFunc(settings, func(s setting) bool { return s.file == name })
}

// Read reads the inventory, the rulesets and the settings among the files of a bundle, and keeps those of its stacks. Its
// errors, and those of Compare, begin with the name that the user has for the bundle.
func Read(name string, files []artifact.File) (*Bundle, error) {
	b := &Bundle{name: name, rulesets: map[string][]*proof.Ruleset{}, openings: map[string][]proof.Opening{}, settings: map[string]string{}, stacks: map[string]stackFiles{}, engines: map[string]engineSettings{}}
	if err := b.read(files); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func (b *Bundle) read(files []artifact.File) error {
	for _, f := range files {
		switch {
		case f.Path == artifact.ManifestName:
			b.manifest = manifest(f.Data)
		case f.Path == artifact.AttributesName:
			b.own = artifact.OwnIn(f.Data)
		case f.Path == runbook.Inventory:
			if err := b.inventory(f); err != nil {
				return err
			}
		case f.Path == runbook.Table:
			var err error
			if b.table, err = readTable(f); err != nil {
				return err
			}
		case f.Path == tls.Script:
			var err error
			if b.certificates, err = readTable(f); err != nil {
				return err
			}
		case firewall.IsRuleset(f.Path):
			s, err := firewall.Read(f)
			if err != nil {
				return err
			}
			class := firewall.ClassOf(f.Path)
			b.rulesets[class] = append(b.rulesets[class], s)
		case inStack(f.Path):
			b.stackFile(f)
		}
		if err := errors.Join(b.set(f), b.engineFile(f)); err != nil {
			return err
		}
	}
	if len(b.nodes) == 0 {
		return fmt.Errorf("%s: names no node: is it a bundle?", runbook.Inventory)
	}
	for class, sets := range b.rulesets {
		b.openings[class] = proof.Openings(sets)
	}
	for _, n := range b.nodes {
		if b.rulesets[n.class] == nil {
			return fmt.Errorf("%s: node %s: no ruleset of class %s", runbook.Inventory, n.name, n.class)
		}
	}
	return nil
}

// columns of the inventory.
const (
	columnName    = 0
	columnAddress = 1
	columnRole    = 3
	columnClass   = 6
	columnDuties  = 7
	columns       = 9 // at least
)

func (b *Bundle) inventory(f artifact.File) error {
	number := 0
	for line := range strings.Lines(string(f.Data)) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) < columns {
			return fmt.Errorf("%s:%d: want %d columns or more", f.Path, number, columns)
		}
		b.nodes = append(b.nodes, node{cells[columnName], cells[columnAddress], cells[columnRole], cells[columnClass], cells[columnDuties]})
	}
	slices.SortFunc(b.nodes, func(x, y node) int { return strings.Compare(x.name, y.name) })
	return nil
}

// set reads the settings that a file tells.
func (b *Bundle) set(f artifact.File) error {
	for _, s := range settings {
		if s.file != f.Path {
			continue
		}
		value, err := s.read(f.Data)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		b.settings[s.field] = value
	}
	return nil
}

// side returns what the nodes of a class open, none for "", and all that the bundle does.
func (b *Bundle) side(class string) side {
	s := side{here: b.openings[class]}
	for _, name := range slices.Sorted(maps.Keys(b.openings)) {
		s.anywhere = append(s.anywhere, b.openings[name]...)
	}
	return s
}

func (b *Bundle) node(name string) (node, bool) {
	i, ok := slices.BinarySearchFunc(b.nodes, name, func(n node, name string) int { return strings.Compare(n.name, name) })
	if !ok {
		return node{}, false
	}
	return b.nodes[i], true
}
