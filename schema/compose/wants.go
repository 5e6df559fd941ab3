package compose

import (
	"io/fs"
	"slices"

	"skep.dev/schema/finding"
)

// Wants is what a stack's Compose files leave to the spec: the request has no word about it.
type Wants struct {
	Values   []Want // variables without a value and a default
	Profiles []Want
}

// Want is one of them, and the first place that names it: a file of the file system.
type Want struct {
	Name, File   string
	Line, Column int
	Key          string // what the container calls a variable
}

// Survey reads a stack that no spec knows yet. What its files leave to the spec is no mistake, and neither is a profile that
// nobody has decided about: its services are read. The project is nil where the files cannot be read, or not without the values.
func Survey(fsys fs.FS, known func(string) string, r Request) (project *Project, wants Wants, found finding.List) {
	r.Values = map[string]string{}
	asked := []finding.ID{finding.VariableWithoutValue, finding.EnvFromDeployer, finding.ProfileUndecided}
	for round := range 4 { // profiles are known when the variables have values, and their services may have more
		rd := newReader(fsys, known, r)
		var said finding.List
		project, said = rd.all()
		said = slices.DeleteFunc(said, func(f finding.Finding) bool { return slices.Contains(asked, f.ID) && rd.wants.at(f, known) })
		if round > 0 && slices.ContainsFunc(said, isMistake) { // the value that stands for all of them does not do
			project = nil
			break
		}
		found = said
		wants.Values = append(wants.Values, rd.wants.Values...)
		wants.Profiles = append(wants.Profiles, rd.wants.Profiles...)
		if len(rd.wants.Values)+len(rd.wants.Profiles) == 0 || slices.ContainsFunc(found, isMistake) {
			break
		}
		for _, w := range rd.wants.Values {
			r.Values[w.Name] = "1"
		}
		for _, w := range rd.wants.Profiles {
			r.Profiles = append(r.Profiles, w.Name)
		}
	}
	wants.Values, wants.Profiles = firsts(wants.Values), firsts(wants.Profiles)
	return project, wants, found
}

// at reports whether a finding asks for one of them.
func (w Wants) at(f finding.Finding, known func(string) string) bool {
	return slices.ContainsFunc(slices.Concat(w.Values, w.Profiles), func(w Want) bool { return known(w.File) == f.File && w.Line == f.Line && w.Column == f.Column })
}

// firsts leaves the first place of each name.
func firsts(wants []Want) []Want {
	seen := map[string]bool{}
	return slices.DeleteFunc(wants, func(w Want) bool {
		again := seen[w.Name]
		seen[w.Name] = true
		return again
	})
}

// want notes what the spec should say.
func (r *reader) want(wants *[]Want, name, key string, at place) {
	*wants = append(*wants, Want{name, at.file, at.line, at.column, key})
}

func isMistake(f finding.Finding) bool { return f.Level == finding.Mistake }
