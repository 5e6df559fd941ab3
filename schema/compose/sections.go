package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"skep.dev/schema/compose/format"
	"skep.dev/schema/finding"
)

// file is one of the stack's Compose files.
type file struct {
	name   string
	number int
	dir    string // that relative paths begin in: the first file's
	root   *node
	bases  []base // services of other files that its services extend
}

// base is a service of another file, which stands among the file's own under a name that nobody uses.
type base struct {
	entry
	file, service string
}

// service gives a service or base by its name in the file.
func (f *file) service(name string) *node {
	for _, b := range f.bases {
		if b.key == name {
			return b.value
		}
	}
	return f.root.get("services").get(name)
}

// versions are those that there ever were. None of them changes how skep reads a file.
var versions = regexp.MustCompile(`^(2(\.[0-4])?|3(\.([0-9]|1[0-3]))?)$`)

// sections drops what is no part of a stack, and refuses what cannot be one.
func (r *reader) sections(f *file) {
	var kept []entry
	for _, e := range f.root.entries {
		switch {
		case strings.HasPrefix(e.key, "x-"), e.key == "name":
		case e.key == "version":
			r.version(e)
		case e.key == "include":
			r.say(finding.ComposeInclude, e.at, e.key, "", fmt.Sprintf("skep does not follow it: name the files in the spec, stacks: %s: compose: [%q, \"...\"]", finding.Label(r.request.Name), f.name))
		case !slices.Contains(sections, e.key):
			r.say(finding.ComposeRule, e.at, e.key, "", "not a key that docker stack deploy reads: want "+strings.Join(sections, ", "))
		case e.value.kind == scalar && (e.value.bare || e.value.text == "" || e.value.tag != ""):
			if e.value.tag != "" {
				kept = append(kept, e)
			}
		case e.value.kind != mapping:
			r.say(finding.ComposeRule, e.value.at, e.key, "", "want names below it, each with its own keys")
		default:
			r.names(e)
			kept = append(kept, e)
		}
	}
	f.root.entries = kept
	if n := len(f.root.get("services").all()); n > maxServices {
		r.say(finding.TooBig, f.root.get("services").at, "services", "", fmt.Sprintf("has %d services, more than %d: make several stacks of it", n, maxServices))
	}
}

func (n *node) all() []entry {
	if n == nil {
		return nil
	}
	return n.entries
}

func (r *reader) version(e entry) {
	if e.value.kind != scalar || !versions.MatchString(e.value.text) {
		r.say(finding.ComposeRule, e.value.at, e.key, cut(e.value.text), "not a version of the Compose file format: remove the line")
	}
}

// names looks at what stands below a section.
func (r *reader) names(section entry) {
	for _, e := range section.value.entries {
		path := section.key + "." + e.key
		if section.key == "services" && e.value.kind != mapping && e.value.tag == "" {
			r.say(finding.ComposeRule, e.at, path, "", "want the keys of a service, such as image")
			continue
		}
		if e.value.kind != mapping {
			continue
		}
		dropExtensions(e.value)
		if section.key == "services" {
			r.labelFile(e.value, path)
			r.literals(e.value, path)
			continue
		}
		// The old way to name what is not the stack's own; compose-go writes to stderr about it.
		if external := e.value.get("external"); external != nil && external.kind == mapping {
			if name := external.get("name"); name != nil && e.value.get("name") == nil {
				e.value.entries = append(e.value.entries, entry{key: "name", value: name, at: external.entry("name").at})
			}
			*external = node{kind: scalar, text: "true", bare: true, at: external.at}
		}
		if external := e.value.get("external"); external != nil && external.text == "true" {
			r.external(e.value, path)
		}
	}
}

// external refuses what would be said about something that is there already.
func (r *reader) external(n *node, path string) {
	for _, e := range n.entries {
		if e.key != "external" && e.key != "name" {
			r.say(finding.ComposeRule, e.at, path+"."+e.key, "", "nothing can be said about what is external but its name: remove it")
		}
	}
}

func (r *reader) labelFile(service *node, path string) {
	if e := service.entry("label_file"); e != nil {
		r.say(finding.ComposeRule, e.at, path+".label_file", "", "docker stack deploy does not read it: write the labels below labels: or deploy.labels:")
	}
}

func dropExtensions(n *node) {
	n.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e entry) bool {
		return strings.HasPrefix(e.key, "x-") && e.key != format.ClusterSpec
	})
}
