package compose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/types"
)

// places knows where in the Compose files each field of a project stands.
type places struct {
	files []*file
	dir   string           // that relative paths begin in
	lines map[string]place // of the variables in env_files, by the path of the variable in its service

	lock   sync.Mutex
	models map[string]any // services as maps, by name
}

// layer is one of the texts that say something about a field, and the rest of the field's path in it.
type layer struct {
	node *node
	at   place
	path []string
}

// layers are the texts about a path, what counts most first: the last file, and in it the service before those it extends.
func (p *places) layers(path []string) []layer {
	var out []layer
	for _, f := range slices.Backward(p.files) {
		if len(path) < 2 || path[0] != "services" {
			out = append(out, layer{f.root, f.root.at, path})
			continue
		}
		e := f.root.get("services").entry(path[1])
		if e == nil {
			continue
		}
		at := e.at
		for service := e.value; service != nil; {
			out = append(out, layer{service, at, path[2:]})
			next := service.get("extends")
			if next == nil {
				break
			}
			if service = f.service(next.text); service != nil {
				at = service.at
			}
		}
	}
	return out
}

// find gives the place of a field, or of the nearest above it.
func (p *places) find(project *types.Project, path []string) place {
	at, _ := p.nearest(project, path)
	return at
}

// nearest gives also how many of the path's elements lead to the place.
func (p *places) nearest(project *types.Project, path []string) (at place, steps int) {
	if at, ok := p.lines[dotted(path)]; ok {
		return at, len(path)
	}
	at = place{file: p.files[0].name, line: 1, column: 1}
	steps = -1
	ids := p.identities(project, path)
	for _, l := range p.layers(path) {
		above := len(path) - len(l.path)
		if there, more := l.walk(ids, above); above+more > steps {
			at, steps = there, above+more
		}
	}
	if steps < 0 && len(path) > 1 {
		return p.nearest(project, path[:1])
	}
	return at, max(steps, 0)
}

// walk follows the path as far as the text has it. ids tell items of lists by the depth of their index in the whole path.
func (l layer) walk(ids map[int]string, above int) (at place, steps int) {
	n, at := l.node, l.at
	for i, name := range l.path {
		next, there := n, at
		switch n.kind {
		case mapping:
			e := n.entry(name)
			if e == nil {
				return at, steps
			}
			next, there = e.value, e.at
		case list:
			if next = n.item(name, ids[above+i]); next == nil {
				return at, steps
			}
			there = next.at
		default:
			return at, steps
		}
		if n, at = next, there; n.kind == scalar && n.text != "" {
			at = n.at
		}
		steps++
	}
	return at, steps
}

// item gives the item of a list that became what its project has under a name or an index.
func (n *node) item(name, id string) *node {
	if id != "" {
		i := slices.IndexFunc(n.items, func(item *node) bool { return slices.Contains(itemIDs(item), id) })
		if i < 0 {
			return nil
		}
		return n.items[i]
	}
	for _, item := range n.items {
		if rest, ok := strings.CutPrefix(item.text, name); ok && (rest == "" || rest[0] == '=' || rest[0] == ':') {
			return item
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}

// identities tells what stands at the indices of a path in the project, since merging and ranges move items.
func (p *places) identities(project *types.Project, path []string) map[int]string {
	if project == nil || len(path) < 4 || path[0] != "services" || !slices.ContainsFunc(path[3:], isIndex) {
		return nil
	}
	at := p.model(project, path[1])
	ids := map[int]string{}
	for depth, name := range path[2:] {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return ids
			}
			at = v[i]
			ids[depth+2] = elementID(path[depth+1], at)
		default:
			return ids
		}
	}
	return ids
}

func isIndex(name string) bool {
	_, err := strconv.ParseUint(name, 10, 16)
	return err == nil
}

// model is a service as its fields are named in Compose files, or nil.
func (p *places) model(project *types.Project, name string) any {
	p.lock.Lock()
	defer p.lock.Unlock()
	if m, ok := p.models[name]; ok {
		return m
	}
	var m any
	if s, ok := project.Services[name]; ok {
		if text, err := json.Marshal(s); err == nil {
			_ = json.Unmarshal(text, &m) // what was just written
		}
	}
	p.models[name] = m
	return m
}

// elementID tells an element of the list key from the others.
func elementID(key string, element any) string {
	v, ok := element.(map[string]any)
	word := func(key string) string {
		if s := v[key]; s != nil {
			return fmt.Sprint(s)
		}
		return ""
	}
	switch {
	case !ok:
		return fmt.Sprint("text ", element)
	case key == "ports":
		return portID(word("published"), word("target"), word("protocol"))
	case key == "volumes":
		return "target " + strings.TrimSuffix(word("target"), "/")
	case key == "configs" || key == "secrets":
		return "source " + word("source")
	}
	return ""
}

func portID(published, target, protocol string) string {
	return strings.Join([]string{"port", published, target, cmp.Or(protocol, "tcp")}, " ")
}

// itemIDs are what an item as it is written may become.
func itemIDs(item *node) []string {
	word := func(key string) string {
		if v := item.get(key); v != nil {
			return v.text
		}
		return ""
	}
	if item.kind == mapping {
		return []string{
			"target " + strings.TrimSuffix(word("target"), "/"), "source " + word("source"),
			portID(word("published"), word("target"), word("protocol")),
		}
	}
	ids := []string{"text " + item.text, "source " + item.text}
	parts := strings.Split(item.text, ":")
	for _, part := range parts[:min(2, len(parts))] {
		ids = append(ids, "target "+strings.TrimSuffix(part, "/"))
	}
	if ports, err := types.ParsePortConfig(item.text); err == nil {
		for _, port := range ports {
			ids = append(ids, portID(port.Published, strconv.FormatUint(uint64(port.Target), 10), port.Protocol))
		}
	}
	return ids
}

// order is the author's order of the names in each section.
func (p *places) order() map[string][]string {
	out := map[string][]string{}
	for _, section := range sections {
		for _, f := range p.files {
			for _, e := range f.root.get(section).all() {
				if !slices.Contains(out[section], e.key) {
					out[section] = append(out[section], e.key)
				}
			}
		}
	}
	return out
}

// comments are those above names of sections; of two files the later one's.
func (p *places) comments() map[string]string {
	out := map[string]string{}
	for _, f := range p.files {
		for _, section := range f.root.entries {
			for _, e := range section.value.entries {
				if e.head != "" {
					out[section.key+"."+e.key] = e.head
				}
			}
		}
	}
	return out
}

// profiles are those of a service in any of the files, and of what it extends.
func (p *places) profiles(service string) []string {
	var out []string
	for _, l := range p.layers([]string{"services", service}) {
		if profiles := l.node.get("profiles"); profiles != nil {
			for _, item := range profiles.items {
				out = append(out, item.text)
			}
		}
	}
	return out
}
