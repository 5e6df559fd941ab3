package stack

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// fileVersion is read without a warning by the docker/cli of engines 20.10 to 29, and keeps newer keys out.
const fileVersion = "3.8"

// Write returns the project as YAML that docker stack deploy reads. That is not the Compose specification, which
// compose-go's own YAML follows: docker stack never adopted it (docker/compose#13459). Every "$" is doubled, since
// deploy would replace "$NAME" by a variable of the machine it runs on. A key that deploy would ignore or refuse is an error.
func Write(p *types.Project, notes Notes) ([]byte, error) {
	root := &yaml.Node{}
	if err := root.Encode(p); err != nil {
		return nil, err
	}
	w := &dialect{}
	remove(root, "name")
	// The loader of engine 20.10 takes a file without a version for one of version 1.
	root.Content = append([]*yaml.Node{text("version"), {Kind: yaml.ScalarNode, Value: fileVersion, Style: yaml.DoubleQuotedStyle}}, root.Content...)
	w.services(child(root, "services"))
	root.Content = prune(root).Content
	w.conform(root, projectShape(), nil)
	escape(root)
	if err := errors.Join(w.refused...); err != nil {
		return nil, err
	}
	return encode(root, notes)
}

// dialect collects what cannot be said to docker stack deploy.
type dialect struct{ refused []error }

func (w *dialect) refuse(where []string, format string, args ...string) {
	words := make([]any, len(args))
	for i, a := range args {
		words[i] = a
	}
	name := strings.Join(where, ".")
	if len(where) > 1 && where[0] == "services" {
		name = "service " + where[1]
		if len(where) > 2 {
			name += ": " + strings.Join(where[2:], ".")
		}
	}
	w.refused = append(w.refused, fmt.Errorf("%s: "+format, append([]any{name}, words...)...))
}

// services rewrites what the two dialects spell differently.
func (w *dialect) services(services *yaml.Node) {
	for name, s := range pairs(services) {
		where := []string{"services", name}
		// Deploy starts services in any order, and a task that misses another one is restarted.
		remove(s, "depends_on")
		w.tmpfs(s)
		for _, port := range items(child(s, "ports")) {
			w.port(port, where)
		}
		for _, list := range []string{"configs", "secrets"} {
			for _, file := range items(child(s, list)) {
				number(child(file, "mode"))
			}
		}
		for _, volume := range items(child(s, "volumes")) {
			// Swarm never creates the source of a bind; it refuses the task instead.
			remove(child(volume, "bind"), "create_host_path")
			number(child(child(volume, "tmpfs"), "size"))
		}
		for _, part := range []string{"limits", "reservations"} {
			r := child(child(child(s, "deploy"), "resources"), part)
			quoted(child(r, "cpus"))
			memory(child(r, "memory"))
		}
		for _, part := range []string{"healthcheck", "deploy", "stop_grace_period"} {
			durations(child(s, part))
		}
		for variable, value := range pairs(child(s, "environment")) {
			if value.Tag == "!!null" {
				w.refuse(append(where, "environment", variable), "has no value, so it would be taken from the machine that deploys")
			}
		}
		shorten(child(s, "networks"))
	}
}

// tmpfs moves the short form, which deploy ignores, to the mounts, which it reads.
func (w *dialect) tmpfs(s *yaml.Node) {
	for _, t := range items(child(s, "tmpfs")) {
		volumes := child(s, "volumes")
		if volumes == nil {
			volumes = &yaml.Node{Kind: yaml.SequenceNode}
			s.Content = append(s.Content, text("volumes"), volumes)
		}
		target, _, _ := strings.Cut(t.Value, ":")
		volumes.Content = append(volumes.Content, &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			text("type"), text("tmpfs"), text("target"), text(target),
		}})
	}
	remove(s, "tmpfs")
}

func (w *dialect) port(port *yaml.Node, where []string) {
	published := child(port, "published")
	if published == nil {
		return
	}
	if _, err := strconv.ParseUint(published.Value, 10, 16); err != nil {
		w.refuse(append(where, "ports"), "want one published port, got %s", published.Value)
		return
	}
	number(published)
}

// conform refuses keys outside the shape and puts the others in its order.
func (w *dialect) conform(n *yaml.Node, s *shape, where []string) {
	if s == nil || n == nil {
		return
	}
	switch {
	case s.each != nil && n.Kind == yaml.SequenceNode:
		for _, entry := range n.Content {
			w.conform(entry, s.each, where)
		}
	case s.each != nil:
		for name, entry := range pairs(n) {
			w.conform(entry, s.each, append(slices.Clone(where), name))
		}
	case n.Kind == yaml.MappingNode:
		w.order(n, s, where)
	}
}

func (w *dialect) order(n *yaml.Node, s *shape, where []string) {
	type entry struct{ key, value *yaml.Node }
	var entries []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		at := append(slices.Clone(where), name)
		k := s.index(name)
		if k < 0 {
			w.refuse(at, "docker stack deploy does not read this key")
			continue
		}
		w.conform(n.Content[i+1], s.keys[k].shape, at)
		entries = append(entries, entry{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Compare(s.index(a.key.Value), s.index(b.key.Value))
	})
	n.Content = n.Content[:0]
	for _, e := range entries {
		n.Content = append(n.Content, e.key, e.value)
	}
}
