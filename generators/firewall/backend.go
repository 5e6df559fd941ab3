package firewall

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// Backend is a way to load rules into the kernel.
type Backend struct {
	Name     string                      // of firewall.backend
	Packages []string                    // programs that a node needs, each with its Debian package
	Rulesets []Ruleset                   // of a class, in the order in which the command takes them
	body     string                      // the file with the command's functions that know the backend
	kernel   string                      // that with those that load, see and unload its rules: an older bundle may have left some
	closed   func(policy) []artifact.Var // the closed minimum, see closedVars
}

// Ruleset is one of the files with the rules of a class.
type Ruleset struct {
	Ending    string // of its name in the bundle, behind that of the class
	Installed string // where a node has it
	write     func(policy) string
	read      func(path string, data []byte) (*proof.Ruleset, error)
}

// Backends returns those of the schema. The next one is its own files, its name there, and a word here.
func Backends() []Backend { return []Backend{nft, iptables} }

// BackendOf returns the backend of the cluster.
func BackendOf(c *schema.Cluster) Backend {
	all := Backends()
	return all[slices.IndexFunc(all, func(b Backend) bool { return b.Name == c.Firewall.Backend })]
}

// Endings returns what follows the class in the names of its rulesets.
func (b Backend) Endings() []string {
	var out []string
	for _, s := range b.Rulesets {
		out = append(out, s.Ending)
	}
	return out
}

// Installed returns where a node has its rulesets.
func (b Backend) Installed() []string {
	var out []string
	for _, s := range b.Rulesets {
		out = append(out, s.Installed)
	}
	return out
}

// others are the backends that the cluster does not have now, each with its installed rulesets.
func others(c *schema.Cluster) []string {
	var rows []string
	for _, b := range Backends() {
		if b.Name != c.Firewall.Backend {
			rows = append(rows, strings.Join(append([]string{b.Name}, b.Installed()...), " "))
		}
	}
	return rows
}

// Files returns the paths of the class's rulesets in the bundle.
func (class Class) Files(c *schema.Cluster) []string {
	var out []string
	for _, ending := range BackendOf(c).Endings() {
		out = append(out, path.Join(directory, class.Name+ending))
	}
	return out
}

// IsRuleset reports whether a file of a bundle has rules, of any backend.
func IsRuleset(name string) bool {
	_, ok := rulesetAt(name)
	return ok
}

// ClassOf returns the name of the class that a ruleset is for.
func ClassOf(name string) string {
	s, _ := rulesetAt(name)
	return strings.TrimSuffix(path.Base(name), s.Ending)
}

func rulesetAt(name string) (Ruleset, bool) {
	for _, b := range Backends() {
		for _, s := range b.Rulesets {
			if path.Dir(name) == directory && strings.HasSuffix(name, s.Ending) {
				return s, true
			}
		}
	}
	return Ruleset{}, false
}

// Read reads a ruleset of a bundle back.
func Read(f artifact.File) (*proof.Ruleset, error) {
	s, ok := rulesetAt(f.Path)
	if !ok {
		return nil, fmt.Errorf("%s: is not a ruleset of skep", f.Path)
	}
	return s.read(f.Path, f.Data)
}

// Simulate reads back the rulesets among the files of the cluster's bundle.
func Simulate(c *schema.Cluster, files []artifact.File) (*proof.Simulator, error) {
	var out []proof.Class
	for _, class := range Classes(c) {
		k := proof.Class{Nodes: class.Nodes}
		for _, path := range class.Files(c) {
			at := slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == path })
			if at < 0 {
				return nil, fmt.Errorf("firewall: no file %s", path)
			}
			s, err := Read(files[at])
			if err != nil {
				return nil, fmt.Errorf("firewall: %w", err)
			}
			k.Rulesets = append(k.Rulesets, s)
		}
		out = append(out, k)
	}
	return proof.NewSimulator(c, out), nil
}

// Prove evaluates the spec's tests on the rulesets of its bundle, and returns those that fail.
func Prove(c *schema.Cluster, files []artifact.File) (finding.List, error) {
	if len(c.Tests) == 0 {
		return nil, nil
	}
	s, err := Simulate(c, files)
	if err != nil {
		return nil, err
	}
	return s.Failed(), nil
}
