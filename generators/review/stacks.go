package review

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema"
	"skep.dev/schema/compose"
)

// stacks tells what the users' own applications are, and what becomes of them.
func stacks(c *schema.Cluster) string {
	var b strings.Builder
	for _, s := range c.Stacks {
		fmt.Fprintf(&b, "### %s\n\nFrom %s; the step `stack-%s` deploys it%s.\n\n", s.Name, codes(s.Compose), s.Name, after(c, s))
		t := table{{"service", "image", "tasks", "nodes"}}
		for _, name := range s.Project.Order["services"] {
			if service, ok := s.Project.Services[name]; ok {
				t = append(t, []string{name, code(service.Image), tasks(service), where(service)})
			}
		}
		b.WriteString(t.String() + "\n")
		b.WriteString(volumes(c, s))
		if len(s.Waive) > 0 {
			b.WriteString(waivers(s.Waive, func(w schema.StackWaiver) (schema.Waiver, []string) { return w.Waiver, w.Services }) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// after tells of the stacks that come before, since they make networks that this one uses.
func after(c *schema.Cluster, s schema.Stack) string {
	var parts []string
	for _, of := range s.After() {
		var networks []string
		for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
			if s.Networks[name].Stack == of {
				networks = append(networks, c.NetworkName(s, name))
			}
		}
		parts = append(parts, fmt.Sprintf("after `stack-%s`, whose %s it uses", of, counted("network", networks)))
	}
	if parts == nil {
		return ""
	}
	return ", " + strings.Join(parts, ", and ")
}

// counted is a noun and what it is about.
func counted(noun string, names []string) string {
	if len(names) > 1 {
		noun += "s"
	}
	return noun + " " + codes(names)
}

// waivers are findings that somebody accepts, by ID; about tells why, and for what.
func waivers[W any](accepted map[string]W, about func(W) (schema.Waiver, []string)) string {
	t := table{{"accepted", "for", "until", "why"}}
	for _, id := range slices.Sorted(maps.Keys(accepted)) {
		w, names := about(accepted[id])
		t = append(t, []string{code(id), orAll(names), w.Expires, w.Reason})
	}
	return t.String()
}

// accepted are the warnings that the spec accepts.
func accepted(c *schema.Cluster) string {
	return "Warnings about the spec that somebody accepted; `skep explain ID` tells about each.\n\n" +
		waivers(c.Waive, func(w schema.SpecWaiver) (schema.Waiver, []string) { return w.Waiver, w.Fields })
}

func orAll(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ", ")
}

// volumes tells where those are that the spec keeps on a node or a share.
func volumes(c *schema.Cluster, s schema.Stack) string {
	var onNode, onShare []string
	for _, name := range slices.Sorted(maps.Keys(s.Volumes)) {
		said := s.Volumes[name]
		if said.Share == "" {
			onNode = append(onNode, code(name)+" on "+said.Node)
			continue
		}
		n := c.Services.NFS
		share, _ := n.Shares.Named(said.Share)
		onShare = append(onShare, fmt.Sprintf("%s in %s of %s (share %s, %s)", code(name), code(path.Join(share.Path, said.Path)), n.Server, share.Name, share.Mode))
	}
	text := ""
	if len(onNode) > 0 {
		text += "Volumes: " + strings.Join(onNode, ", ") + ". With another node in the spec the tasks move, and the data stays.\n\n"
	}
	if len(onShare) > 0 {
		text += "Volumes on shares: " + strings.Join(onShare, ", ") + ". Their names in the swarm end in a hash of their options, since Docker never changes a volume\n" +
			"that exists: with another share, path, mode or server the tasks get another volume. What was there stays where it was, and so do the files of\n" +
			"a volume that was on the nodes before: copy them.\n\n"
	}
	return text
}

func tasks(s types.ServiceConfig) string {
	if mode := compose.Mode(s); strings.HasPrefix(mode, "global") {
		return mode
	}
	return fmt.Sprint(compose.Replicas(s))
}

func where(s types.ServiceConfig) string {
	if s.Deploy == nil || len(s.Deploy.Placement.Constraints) == 0 {
		return "any"
	}
	return codes(s.Deploy.Placement.Constraints)
}

func codes(texts []string) string {
	var out []string
	for _, t := range texts {
		out = append(out, code(t))
	}
	return strings.Join(slices.Compact(out), ", ")
}

// code is a text of somebody's file, as code in a table.
func code(text string) string {
	return "`" + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '`' || r == '|' {
			return '?'
		}
		return r
	}, text) + "`"
}
