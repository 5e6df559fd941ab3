// Package stacks takes the users' applications into a cluster: it reads their Compose files, adds what follows from them to
// the cluster's rows, and says what would not work out there.
package stacks

import (
	"fmt"
	"io/fs"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/compose"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// Add reads the Compose files of all stacks, which are below the file system's root, and adds their rows to the cluster.
// It returns the mistakes, at their places in the Compose files or in the spec; warnings are kept with each stack. Spec
// tells where a field of it stands, and known gives a file the name that messages use.
func Add(c *schema.Cluster, spec *written.Spec, fsys fs.FS, known func(string) string) finding.List {
	j := &joiner{Cluster: c, spec: spec, known: known}
	var read []*stack
	for i := range c.Stacks {
		s := &c.Stacks[i]
		if j.isOwn(s.Name) {
			j.field(finding.StackName, s.Field(), "is the name of a stack of skep's own; choose another name")
			continue
		}
		if one := j.read(fsys, s); one != nil {
			read = append(read, one)
		}
	}
	for _, one := range read {
		one.join()
	}
	fixed := j.subnets(read)
	j.overlaps(fixed)
	j.budgets(read, fixed)
	j.routed(read)
	for _, one := range read {
		one.waivers()
	}
	for _, one := range read {
		one.Said = once(one.Said)
	}
	j.order()
	fields := spec.Locate(j.fields)
	for i := range fields {
		if fields[i].ID == finding.SecretValue {
			fields[i].Got = "" // messages end in logs
		}
	}
	return slices.Compact(append(once(j.found.Ordered()), fields...).Ordered())
}

// once leaves the first of the findings that say the same about several services of a file, and has it name the others.
func once(found finding.List) finding.List {
	type saying struct {
		id              finding.ID
		file, got, text string
	}
	first := map[saying]int{}
	also := map[int][]string{}
	var out finding.List
	for _, f := range found {
		key := saying{f.ID, f.File, f.Got, f.Text}
		i, said := first[key]
		if !said {
			first[key] = len(out)
			out = append(out, f)
			continue
		}
		if path := schema.SplitPath(f.Path); len(path) > 1 && !slices.Contains(also[i], path[1]) && path[1] != schema.SplitPath(out[i].Path)[1] {
			also[i] = append(also[i], path[1])
		}
	}
	for i, names := range also {
		out[i].Text += "; the same for " + finding.Several(names)
	}
	return out
}

// joiner adds stacks to a cluster.
type joiner struct {
	*schema.Cluster
	spec   *written.Spec
	known  func(string) string
	found  finding.List // in the Compose files
	fields finding.List // in the spec, without their places
}

// stack is one of them, while it is looked at.
type stack struct {
	*joiner
	*schema.Stack
	project *compose.Project
	waived  map[string]bool // waivers that hold for something
}

// read gives a stack, or nil where its Compose files cannot be read.
func (j *joiner) read(fsys fs.FS, s *schema.Stack) *stack {
	values := make(map[string]string, len(s.Values))
	for name, value := range s.Values {
		values[name] = value.String()
	}
	project, found := compose.Read(fsys, j.known, compose.Request{
		Name: s.Name, Files: s.Compose, Values: values, Profiles: s.Profiles,
	})
	for _, f := range found {
		switch {
		case f.Level == finding.Warning:
			s.Said = append(s.Said, f)
		case f.File == "":
			j.fields = append(j.fields, f)
		default:
			j.found = append(j.found, f)
		}
	}
	if project == nil {
		return nil
	}
	s.Project = project
	return &stack{j, s, project, map[string]bool{}}
}

// join adds the rows of a stack, after what is wrong with it.
func (s *stack) join() {
	s.keys()
	s.format()
	s.passwords()
	s.secrets()
	s.configs()
	s.networks()
	s.volumes()
	s.ownVolumes()
	s.placement()
	s.storage()
	s.policy()
	s.mounted()
	s.ports()
	s.images()
}

// field notes a mistake at a field of the spec.
func (j *joiner) field(id finding.ID, path, text string) {
	j.fields = append(j.fields, finding.Finding{ID: id, Level: finding.LevelOf(id), Path: path, Text: text})
}

// warn notes a warning at a field of the spec.
func (s *stack) warn(id finding.ID, path, text string, args ...any) {
	if s.isWaived(id, nil) {
		return
	}
	file, line, column := s.spec.Place(path)
	s.Said = append(s.Said, finding.Finding{ID: id, Level: finding.Warning, File: file, Line: line, Column: column, Path: path, Text: fmt.Sprintf(text, args...)})
}

// at notes a finding at a field of the Compose files.
func (s *stack) at(id finding.ID, path []string, got, text string, args ...any) {
	if s.isWaived(id, path) {
		return
	}
	file, line, column := s.project.Place(path...)
	f := finding.Finding{
		ID: id, Level: finding.LevelOf(id), File: s.known(file), Line: line, Column: column,
		Path: schema.JoinPath(path...), Got: got, Text: fmt.Sprintf(text, args...),
	}
	if f.Level == finding.Warning {
		s.Said = append(s.Said, f)
	} else {
		s.found = append(s.found, f)
	}
}

// services are in the author's order.
func (s *stack) services() []service {
	var out []service
	for _, name := range s.project.Order["services"] {
		if config, ok := s.project.Services[name]; ok {
			out = append(out, service{&config, name})
		}
	}
	return out
}

// number of the steps that deploy users' stacks: after skep's own.
const number = 85
