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
	"skep.dev/schema"
	"skep.dev/schema/compose/format"
)

// Options say how a project is written.
type Options struct {
	Engine schema.Version // the oldest of the cluster's
	// Order has the names below services, networks, volumes, secrets and configs as their author has them. Others follow.
	Order map[string][]string
	Notes document.Notes
	// Unread says what becomes of what docker stack deploy does not read.
	Unread Unread
}

// Unread is what becomes of a key that docker stack deploy does not read.
type Unread int

const (
	Refuse Unread = iota // an error
	Drop                 // left out, with a comment that says so
)

// Write returns the project as YAML that docker stack deploy reads. That is not the Compose specification, which
// compose-go's own YAML follows: docker stack never adopted it (docker/compose#13459). Every "$" is doubled, since
// deploy would replace "$NAME" by a variable of the machine it runs on. The version is the lowest that has every key:
// the loader of engine 20.10 takes a file without one for one of version 1.
func Write(p *types.Project, o Options) ([]byte, error) {
	w := &writer{unread: o.Unread, dropped: map[string][]string{}}
	version := w.version(p, o.Engine)
	root, err := document.Tree(w.moved(p))
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(p.DisabledServices)) {
		if o.Unread == Refuse {
			w.refuse([]string{"services", name}, "no profile of it is on, so it would be left out in silence")
		}
	}
	remove(root, "name")
	root.Content = append([]*yaml.Node{document.Text("version"), {Kind: yaml.ScalarNode, Value: version, Style: yaml.DoubleQuotedStyle}}, root.Content...)
	w.services(child(root, "services"))
	w.conform(root, projectShape(), nil)
	prune(root)
	for _, service := range pairs(child(root, "services")) {
		shorten(child(service, "networks"))
	}
	escape(root)
	if err := errors.Join(w.refused...); err != nil {
		return nil, err
	}
	for part, names := range o.Order {
		arrange(child(root, part), names)
	}
	return document.Encode(root, w.notes(o.Notes))
}

// version returns the number of the file format, and refuses what the oldest engine does not read.
func (w *writer) version(p *types.Project, oldest schema.Version) string {
	minor := format.Oldest
	for _, part := range format.Newer(p) {
		if oldest.Less(schema.ParseVersion(part.Engine)) {
			w.refuse(part.Path, fmt.Sprintf("docker stack deploy reads this from engine %s on, and engine.versions.from is %d.%d", part.Engine, oldest[0], oldest[1]))
		}
		minor = max(minor, part.Minor)
	}
	return "3." + strconv.Itoa(minor)
}

// writer collects what cannot be said to docker stack deploy.
type writer struct {
	unread  Unread
	refused []error
	dropped map[string][]string // what is left out, by the note that says so
}

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

// unreadable refuses or drops what docker stack deploy does not read. Extensions are for other programs.
func (w *writer) unreadable(where []string, why string) {
	switch {
	case strings.HasPrefix(where[len(where)-1], "x-"):
	case w.unread == Drop:
		w.drop(where)
	default:
		w.refuse(where, why)
	}
}

// drop leaves out a part of an entry such as services.web, and says so above that.
func (w *writer) drop(where []string) {
	entry := strings.Join(where[:min(2, len(where))], "/")
	if what := strings.Join(where[min(2, len(where)):], "."); !slices.Contains(w.dropped[entry], what) {
		w.dropped[entry] = append(w.dropped[entry], what)
	}
}

// notes adds what was dropped to the notes.
func (w *writer) notes(notes document.Notes) document.Notes {
	all := maps.Clone(notes)
	if all == nil {
		all = document.Notes{}
	}
	for entry, parts := range w.dropped {
		slices.Sort(parts)
		all[entry] = strings.TrimPrefix(all[entry]+"\ndropped: "+strings.Join(parts, ", "), "\n")
	}
	return all
}

// services rewrites what the two dialects spell differently.
func (w *writer) services(services *yaml.Node) {
	for name, s := range pairs(services) {
		where := []string{"services", name}
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
		durations(s, "stop_grace_period")
		durations(child(s, "healthcheck"), "interval", "timeout", "start_period", "start_interval")
		for _, part := range []string{"update_config", "rollback_config", "restart_policy"} {
			durations(child(child(s, "deploy"), part), "delay", "monitor", "window")
		}
		for variable, value := range pairs(child(s, "environment")) {
			if value.Tag == "!!null" {
				w.refuse(append(where, "environment", variable), "has no value, so it would be taken from the machine that deploys")
			}
		}
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
					w.refuse([]string{where[0], where[1], "tmpfs", target}, fmt.Sprintf("size %q is not a number of bytes", value))
				}
				size := mapping("size", strconv.FormatInt(bytes, 10))
				number(child(size, "size"))
				mount.Content = append(mount.Content, document.Text("tmpfs"), size)
			default:
				w.unreadable([]string{where[0], where[1], "tmpfs", target, option}, "docker stack deploy has no place for this option")
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
			w.unreadable(at, "docker stack deploy does not read this key")
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
