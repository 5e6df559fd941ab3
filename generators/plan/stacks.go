package plan

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing/fstest"

	"skep.dev/generators/artifact"
	"skep.dev/generators/stack"
	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
)

// StackChange is what becomes of a stack, or of a service, volume or network of it.
type StackChange struct {
	Change string   `json:"change"`
	Stack  string   `json:"stack"`
	Kind   string   `json:"kind"`            // "stack", "service", "volume" or "network"
	Name   string   `json:"name,omitempty"`  // in the stack file; none of a stack
	Names  []string `json:"names,omitempty"` // the services of a stack that comes or goes
	Gap    string   `json:"gap,omitempty"`   // where nobody answers while tasks are replaced: "none", "node" by node, or the "service"
	Grace  string   `json:"grace,omitempty"` // how long a task that is replaced may take to stop
	Why    []Reason `json:"why,omitempty"`
}

// Changes of a StackChange.
const (
	added     = "added"
	removed   = "removed"
	data      = "data"      // a service begins with another volume, and what the old one holds stays where it is
	updated   = "updated"   // tasks are replaced, and others answer meanwhile
	restarted = "restarted" // tasks are replaced, and nobody answers meanwhile
	again     = "again"     // a job runs once more
	moved     = "moved"     // tasks leave nodes that placement no longer admits
	scaled    = "scaled"
	adjusted  = "adjusted" // no task notices
	remade    = "remade"   // removed and made anew: Docker does not change the mode of a service
	frozen    = "frozen"   // Docker does not do it to what is there, and says nothing
)

// Reason is a key of the stack file that differs. From and To are told of what is no secret.
type Reason struct {
	Key  string `json:"key"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// stackFiles are the files of one stack of a bundle, by path.
type stackFiles map[string][]byte

// stackChanges compares the stacks of two bundles. A stack whose file is the same is not read: what it names is named by content.
func stackChanges(before, after *Bundle) ([]StackChange, error) {
	var out []StackChange
	for _, name := range slices.Sorted(maps.Keys(before.stacks)) {
		if after.stacks[name] != nil {
			continue
		}
		p, err := before.project(name)
		if err != nil {
			return nil, err
		}
		out = append(out, StackChange{Change: removed, Stack: name, Kind: "stack", Names: p.Order["services"]})
	}
	for _, name := range slices.Sorted(maps.Keys(after.stacks)) {
		file := stack.File(name)
		if bytes.Equal(before.stacks[name][file], after.stacks[name][file]) {
			continue
		}
		now, err := after.project(name)
		if err != nil {
			return nil, err
		}
		if before.stacks[name] == nil {
			out = append(out, StackChange{Change: added, Stack: name, Kind: "stack", Names: now.Order["services"]})
			continue
		}
		was, err := before.project(name)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{name, was, now}.changes()...)
	}
	slices.SortStableFunc(out, func(a, b StackChange) int { return a.rank() - b.rank() })
	return out, nil
}

// others are the changes that nobody has to be warned of.
const others = 2

// rank puts first what may cost data, then what the spec says in vain.
func (c StackChange) rank() int {
	if i := slices.Index([]string{data, frozen}, c.Change); i >= 0 {
		return i
	}
	return others
}

// project reads a stack file as Docker would.
func (b *Bundle) project(name string) (*compose.Project, error) {
	files := fstest.MapFS{}
	for file, data := range b.stacks[name] {
		files[file] = &fstest.MapFile{Data: data}
	}
	known := func(file string) string { return file }
	p, found := compose.Read(files, known, compose.Request{Name: name, Files: []string{stack.File(name)}})
	if p == nil {
		first := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Level == finding.Mistake })
		return nil, fmt.Errorf("%s: %s", b.name, found[first].Error()) // a fault of the bundle, not of a spec
	}
	return p, nil
}

// pair is a stack before and after.
type pair struct {
	stack    string
	was, now *compose.Project
}

func (p pair) changes() []StackChange {
	var out []StackChange
	for _, name := range union(p.was.Volumes, p.now.Volumes) {
		out = append(out, p.volume(name)...)
	}
	for _, name := range union(p.was.Networks, p.now.Networks) {
		out = append(out, p.network(name)...)
	}
	for _, name := range union(p.was.Services, p.now.Services) {
		was, before := p.was.Services[name]
		now, after := p.now.Services[name]
		switch {
		case !before:
			out = append(out, p.of(added, "service", name))
		case !after:
			out = append(out, p.of(removed, "service", name))
		default:
			out = append(out, p.service(was, now)...)
		}
	}
	return out
}

func (p pair) of(change, kind, name string, why ...Reason) StackChange {
	return StackChange{Change: change, Stack: p.stack, Kind: kind, Name: name, Why: why}
}

// union returns the keys of both, sorted.
func union[T any](a, b map[string]T) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// volume compares a volume. Docker never changes the options of one that is there (docker/cli#1279): another name is another
// volume, an empty one.
func (p pair) volume(name string) []StackChange {
	was, before := p.was.Volumes[name]
	now, after := p.now.Volumes[name]
	switch {
	case !before:
		return nil
	case !after:
		return []StackChange{p.of(removed, "volume", name, Reason{Key: "name", From: compose.ObjectName(p.stack, was.Name, name)})}
	case compose.ObjectName(p.stack, was.Name, name) != compose.ObjectName(p.stack, now.Name, name):
		return []StackChange{p.of(data, "volume", name, Reason{"name", compose.ObjectName(p.stack, was.Name, name), compose.ObjectName(p.stack, now.Name, name)})}
	case bool(was.External || now.External):
		return nil
	}
	return p.frozen("volume", name, differing(tree(was), tree(now)))
}

// network compares a network. Docker never changes one that is there, either.
func (p pair) network(name string) []StackChange {
	was, before := p.was.Networks[name]
	now, after := p.now.Networks[name]
	if !before || !after || bool(was.External) || bool(now.External) || compose.ObjectName(p.stack, was.Name, name) != compose.ObjectName(p.stack, now.Name, name) {
		return nil // its services tell
	}
	return p.frozen("network", name, differing(tree(was), tree(now)))
}

func (p pair) frozen(kind, name string, keys []string) []StackChange {
	if len(keys) == 0 {
		return nil
	}
	return []StackChange{p.of(frozen, kind, name, reasons(keys)...)}
}

func reasons(keys []string) []Reason {
	out := make([]Reason, len(keys))
	for i, key := range keys {
		out[i].Key = key
	}
	return out
}

// stackFile puts a file of a stack where its stack's others are.
func (b *Bundle) stackFile(f artifact.File) {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Path, stack.Directory+"/"), "/")
	if b.stacks[name] == nil {
		b.stacks[name] = stackFiles{}
	}
	b.stacks[name][f.Path] = f.Data
}

// inStack reports whether a file of a bundle is a stack's.
func inStack(name string) bool {
	rest, ok := strings.CutPrefix(path.Clean(name), stack.Directory+"/")
	return ok && strings.Contains(rest, "/")
}
