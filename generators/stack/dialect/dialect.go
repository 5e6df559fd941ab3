// Package dialect turns a project of the Compose model into the YAML that docker stack deploy reads.
package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
	"go.yaml.in/yaml/v3"

	"skep.dev/generators/stack/document"
)

// fileVersion is read without a warning by the docker/cli of engines 20.10 to 29, and keeps newer keys out.
const fileVersion = "3.8"

// Write returns the project as YAML that docker stack deploy reads. That is not the Compose specification, which
// compose-go's own YAML follows: docker stack never adopted it (docker/compose#13459). Every "$" is doubled, since
// deploy would replace "$NAME" by a variable of the machine it runs on. A key that deploy would ignore or refuse is an error.
func Write(p *types.Project, notes document.Notes) ([]byte, error) {
	root, err := document.Tree(p)
	if err != nil {
		return nil, err
	}
	w := &writer{}
	for _, name := range slices.Sorted(maps.Keys(p.DisabledServices)) {
		w.refuse([]string{"services", name}, "no profile of it is on, so it would be left out in silence")
	}
	remove(root, "name")
	// The loader of engine 20.10 takes a file without a version for one of version 1.
	root.Content = append([]*yaml.Node{document.Text("version"), {Kind: yaml.ScalarNode, Value: fileVersion, Style: yaml.DoubleQuotedStyle}}, root.Content...)
	w.services(child(root, "services"))
	prune(root)
	w.conform(root, projectShape(), nil)
	escape(root)
	if err := errors.Join(w.refused...); err != nil {
		return nil, err
	}
	return document.Encode(root, notes)
}

// writer collects what cannot be said to docker stack deploy.
type writer struct{ refused []error }

func (w *writer) refuse(where []string, why string) {
	name := strings.Join(where, ".")
	if len(where) > 1 && where[0] == "services" {
		name = "service " + where[1]
		if len(where) > 2 {
			name += ": " + strings.Join(where[2:], ".")
		}
	}
	w.refused = append(w.refused, fmt.Errorf("%s: %s", name, why))
}

// services rewrites what the two dialects spell differently.
func (w *writer) services(services *yaml.Node) {
	for name, s := range pairs(services) {
		where := []string{"services", name}
		// Deploy starts services in any order, and a task that misses another one is restarted.
		remove(s, "depends_on")
		w.tmpfs(s, where)
		hosts(child(s, "extra_hosts"))
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
func (w *writer) tmpfs(s *yaml.Node, where []string) {
	for _, t := range items(child(s, "tmpfs")) {
		target, options, _ := strings.Cut(t.Value, ":")
		mount := mapping("type", "tmpfs", "target", target)
		for option := range strings.SplitSeq(options, ",") {
			switch name, value, _ := strings.Cut(option, "="); name {
			case "":
			case "size":
				bytes, err := units.RAMInBytes(value)
				if err != nil {
					w.refuse(append(where, "tmpfs"), fmt.Sprintf("%s: size %q is no number of bytes", target, value))
				}
				size := mapping("size", strconv.FormatInt(bytes, 10))
				number(child(size, "size"))
				mount.Content = append(mount.Content, document.Text("tmpfs"), size)
			default:
				w.refuse(append(where, "tmpfs"), fmt.Sprintf("%s: docker stack deploy has no place for %s", target, option))
			}
		}
		volumes := child(s, "volumes")
		if volumes == nil {
			volumes = &yaml.Node{Kind: yaml.SequenceNode}
			s.Content = append(s.Content, document.Text("volumes"), volumes)
		}
		volumes.Content = append(volumes.Content, mount)
	}
	remove(s, "tmpfs")
}

// hosts writes "name:address": the loaders of engines 20.10 to 25 drop what has no colon there.
func hosts(list *yaml.Node) {
	for _, host := range items(list) {
		if name, address, ok := strings.Cut(host.Value, "="); ok {
			host.Value = name + ":" + address
		}
	}
}

func (w *writer) port(port *yaml.Node, where []string) {
	published := child(port, "published")
	if published == nil {
		return
	}
	if _, err := strconv.ParseUint(published.Value, 10, 16); err != nil {
		w.refuse(append(where, "ports"), "want one published port, got "+published.Value)
		return
	}
	number(published)
}

// conform refuses keys outside the shape and puts the others in its order.
func (w *writer) conform(n *yaml.Node, s *shape, where []string) {
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

func (w *writer) order(n *yaml.Node, s *shape, where []string) {
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
