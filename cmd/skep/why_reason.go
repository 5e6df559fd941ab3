package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// reason is what why writes.
type reason struct {
	Schema string    `json:"schema"`
	Edited bool      `json:"edited"` // the file on disk is not what the spec compiles to
	Lines  []decided `json:"lines"`
}

// decided are lines of a file, First to Last, and the fields of the spec that decide them; none where they are skep's own.
type decided struct {
	File   string    `json:"file"` // relative to the bundle
	First  int       `json:"first"`
	Last   int       `json:"last"`
	Text   string    `json:"text"` // the first of the lines that is not a comment, or the one that was asked for
	Fields []decider `json:"fields"`
	Skep   string    `json:"skep,omitempty"` // where the source of skep has lines that no field decides
}

// decider is a field, and where it has its value from.
type decider struct {
	Field   string     `json:"field"`
	Default string     `json:"default,omitempty"` // where the spec does not set it, perhaps for some nodes alone
	Spec    []specLine `json:"spec"`              // where the spec sets it; one for each node for a field of every node
}

// about lists what decides a line of a file, or all of its lines where line is 0. Of a line it is what says it most closely.
func (l loaded) about(f artifact.File, line int) []decided {
	here := func(first, last int) bool { return line == 0 || first <= line && line <= last }
	all := l.decided(f, line, func(o artifact.Origin) bool { return here(o.First, o.Last) })
	if line > 0 && len(all) > 0 {
		return all
	}
	for _, s := range f.Static {
		if here(s.First, s.Last) {
			all = append(all, own(f, line, s))
		}
	}
	if line > 0 && len(all) > 0 {
		return all
	}
	all = append(l.whole(f, line, func(string) bool { return true }), all...)
	slices.SortStableFunc(all, func(a, b decided) int { return a.First - b.First })
	return all
}

// decided lists lines of a file with the origins that are wanted. line is the one that was asked for, or 0.
func (l loaded) decided(f artifact.File, line int, wanted func(artifact.Origin) bool) []decided {
	all := []decided{}
	for _, o := range f.Origins {
		if !wanted(o) {
			continue
		}
		if n := len(all); n == 0 || all[n-1].First != o.First || all[n-1].Last != o.Last {
			all = append(all, newDecided(f, line, o.First, o.Last))
		}
		last := &all[len(all)-1]
		last.Fields = append(last.Fields, l.decider(o.Field))
	}
	return all
}

// whole is the file with those that are wanted of the fields that decide it as a whole; nothing where there are none.
func (l loaded) whole(f artifact.File, line int, wanted func(field string) bool) []decided {
	var fields []decider
	for _, field := range f.Of {
		if wanted(field) {
			fields = append(fields, l.decider(field))
		}
	}
	last := bytes.Count(f.Data, []byte("\n"))
	if last == 0 || len(fields) == 0 {
		return nil
	}
	d := newDecided(f, line, 1, last)
	d.Fields = fields
	return []decided{d}
}

// own are lines that are the same for every cluster.
func own(f artifact.File, line int, s artifact.Static) decided {
	d := newDecided(f, line, s.First, s.Last)
	d.Skep = s.Source
	if s.Line > 0 {
		d.Skep += fmt.Sprintf(":%d", s.Line+max(line-s.First, 0))
	}
	return d
}

func newDecided(f artifact.File, line, first, last int) decided {
	text := strings.Split(string(f.Data), "\n")
	shown := text[first-1 : last]
	if line > 0 {
		shown = text[line-1 : line]
	}
	return decided{File: f.Path, First: first, Last: last, Text: firstLine(shown), Fields: []decider{}}
}

// firstLine is the first that says something and is not a comment, or else the first.
func firstLine(lines []string) string {
	at := slices.IndexFunc(lines, func(line string) bool {
		line = strings.TrimSpace(line)
		return line != "" && !strings.HasPrefix(line, "#")
	})
	return strings.TrimSpace(lines[max(at, 0)])
}

// decider says where a field has its value from.
func (l loaded) decider(field string) decider {
	d := decider{Field: field, Spec: []specLine{}}
	each := l.each(field)
	for _, f := range each {
		if l.spec.Has(f) {
			d.Spec = append(d.Spec, specLineOf(l, f))
		}
	}
	if len(d.Spec) == len(each) {
		return d
	}
	s := written.NewSchema()
	elements := schema.SplitPath(field)
	if t, depth := s.Root.Find(elements); depth == len(elements) {
		d.Default = s.DefaultText(t)
	}
	return d
}

// String is where the value comes from.
func (d decider) String() string {
	var places []string
	for _, s := range d.Spec {
		places = append(places, s.String())
	}
	switch from := finding.Several(places); {
	case d.Default == "" && len(places) == 0:
		return "set by the schema"
	case d.Default == "":
		return from
	case len(places) == 0:
		return "default " + d.Default
	default:
		return from + "; default " + d.Default
	}
}

// each is a field, or those of all nodes where it speaks of every node.
func (l loaded) each(field string) []string {
	rest, ofNodes := strings.CutPrefix(field, "nodes.*.")
	if !ofNodes {
		return []string{field}
	}
	var fields []string
	for _, n := range l.Nodes {
		fields = append(fields, "nodes."+n.Name+"."+rest)
	}
	return fields
}

// write prints each of the lines, and below it what decides it.
func (r reason) write(w io.Writer, form format) error {
	if form == formatJSON {
		return newJSON(w).Encode(r)
	}
	for _, d := range r.Lines {
		if _, err := fmt.Fprintf(w, "%s  %s\n", d.place(), d.Text); err != nil {
			return err
		}
		for _, f := range d.Fields {
			if _, err := fmt.Fprintf(w, "  %s  %s\n", f.Field, f); err != nil {
				return err
			}
		}
		if d.Skep != "" {
			if _, err := fmt.Fprintf(w, "  skep's own  %s\n", d.Skep); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is FILE:FIRST-LAST.
func (d decided) place() string {
	if d.First == d.Last {
		return fmt.Sprintf("%s:%d", d.File, d.First)
	}
	return fmt.Sprintf("%s:%d-%d", d.File, d.First, d.Last)
}
