package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/explain"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

func newWhyCmd() *cobra.Command {
	var field string
	cmd := &cobra.Command{
		Use:   "why FILE[:LINE] [SPEC]",
		Short: "show which field of the spec decides a line of the bundle, and back",
		Long: `why shows where a line of the bundle comes from: the field of the spec that decides it, its value, and the line of the
spec that sets it, or the default. Without LINE it shows that for all of FILE.

With --field it goes the other way: to each line of the bundle that a field, or one below it, decides.

The bundle is compiled anew, in memory. When FILE on disk differs from that, why says so: its lines may be others.
The exit code is 1 then, and also when no single field decides the line: much of a bundle is skep's own, or follows
from the spec as a whole.`,
		Example: `  skep why bundle/nfs/skep.exports:5
  skep why bundle/stacks/traefik/traefik.yaml
  skep why --field services.nfs.path`,
	}
	cmd.Flags().StringVar(&field, "field", "", "show the lines that a field decides: `FIELD`")
	if err := cmd.RegisterFlagCompletionFunc("field", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return explain.Fields(typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}); err != nil {
		panic(err) // only when the flag is missing
	}
	form := addFormat(cmd)
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 && field == "" {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return completeSpec(nil, nil, "")
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("field") {
			return oneSpecBeside(args)
		}
		if len(args) == 0 {
			return usageError{"why: want FILE[:LINE], or --field FIELD (see: skep why --help)"}
		}
		return atMost(2, "SPEC")(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("field") {
			return whyField(cmd, field, specArg(args), *form)
		}
		return whyLine(cmd, args[0], specArg(args[1:]), *form)
	}
	return cmd
}

// oneSpecBeside takes a spec and nothing else.
func oneSpecBeside(args []string) error {
	if len(args) > 1 {
		return usageError{"why: --field goes without FILE: want SPEC alone (see: skep why --help)"}
	}
	return nil
}

// reason is what why writes.
type reason struct {
	Schema string    `json:"schema"`
	Edited bool      `json:"edited"` // the file on disk is not what the spec compiles to
	Lines  []decided `json:"lines"`
}

// decided are lines of a file, First to Last, and the fields of the spec that decide them.
type decided struct {
	File   string    `json:"file"` // relative to the bundle
	First  int       `json:"first"`
	Last   int       `json:"last"`
	Text   string    `json:"text"` // the first of the lines that is not a comment, or the one that was asked for
	Fields []decider `json:"fields"`
}

// decider is a field, and where it has its value from.
type decider struct {
	Field   string     `json:"field"`
	Default string     `json:"default,omitempty"` // where the spec does not set it, perhaps for some nodes alone
	Spec    []specLine `json:"spec"`              // where the spec sets it; one for each node for a field of every node
}

// whyLine tells about a line of a file, or about all lines.
func whyLine(cmd *cobra.Command, name, spec string, form format) error {
	name, line, err := lineOf(name)
	if err != nil {
		return err
	}
	c, err := load(spec)
	if err != nil {
		return err
	}
	files, err := generators.Generate(c.Cluster)
	if err != nil {
		return err
	}
	file, edited, err := fileNamed(files, name)
	if err != nil {
		return err
	}
	if last := bytes.Count(file.Data, []byte("\n")); line > last {
		return usageError{fmt.Sprintf("why: %s has %d lines", name, last)}
	}
	r := reason{Schema: version1("why"), Edited: edited}
	r.Lines = c.decided(file, line, func(o artifact.Origin) bool { return line == 0 || o.First <= line && line <= o.Last })
	if edited {
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: differs from what the spec compiles to, so that its lines may be others; skep build writes it anew", name))
	}
	if len(r.Lines) == 0 {
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: no single field decides it: it is skep's own, or follows from the spec as a whole", name))
	}
	if err := r.write(cmd.OutOrStdout(), form); err != nil {
		return err
	}
	if edited || len(r.Lines) == 0 {
		return errFound
	}
	return nil
}

// lineOf divides FILE:LINE; without LINE, line is 0. A column behind it, as editors have it, is left out.
func lineOf(arg string) (name string, line int, err error) {
	parts := strings.Split(arg, ":")
	if len(parts) == 1 {
		return arg, 0, nil
	}
	line, err = strconv.Atoi(parts[1])
	if err != nil || line < 1 || len(parts) > 3 {
		return "", 0, usageError{fmt.Sprintf("why: %q: want FILE or FILE:LINE, lines counted from 1", arg)}
	}
	return parts[0], line, nil
}

// fileNamed finds the file that a name means: one on disk below a MANIFEST, or one as the bundle calls it.
func fileNamed(files []artifact.File, name string) (file artifact.File, edited bool, err error) {
	inside := path.Clean(filepath.ToSlash(name))
	info, failed := os.Stat(name)
	if whole, err := filepath.Abs(name); failed == nil && err == nil {
		if root := bundleAround(whole); root != "" {
			inside = filepath.ToSlash(strings.TrimPrefix(whole, root+string(filepath.Separator)))
		}
	}
	at := slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == inside })
	if at < 0 {
		var names []string
		for _, f := range files {
			names = append(names, f.Path)
		}
		return artifact.File{}, false, usageError{fmt.Sprintf("why: %s: not a file of the bundle that this spec compiles to%s", name, written.DidYouMean(inside, names))}
	}
	if failed != nil {
		return files[at], false, nil
	}
	if !info.Mode().IsRegular() { // nobody waits for a pipe
		return files[at], true, nil
	}
	data, err := os.ReadFile(name)
	return files[at], !bytes.Equal(data, files[at].Data), err
}

// bundleAround is the nearest directory above a file, named from the root, that holds a MANIFEST; or "".
func bundleAround(name string) string {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, artifact.ManifestName)); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// whyField tells which lines a field decides, or one below it.
func whyField(cmd *cobra.Command, field, spec string, form format) error {
	if field == "" {
		return usageError{"why: --field: want a field such as services.nfs.path"}
	}
	if _, err := explain.About(field); err != nil {
		return usageError{"why: --field: " + err.Error()}
	}
	c, err := load(spec)
	if err != nil {
		return err
	}
	files, err := generators.Generate(c.Cluster)
	if err != nil {
		return err
	}
	r := reason{Schema: version1("why"), Lines: []decided{}}
	for _, f := range files {
		r.Lines = append(r.Lines, c.decided(f, 0, func(o artifact.Origin) bool { return isAtOrBelow(o.Field, field) })...)
	}
	if err := r.write(cmd.OutOrStdout(), form); err != nil {
		return err
	}
	if len(r.Lines) == 0 {
		talk(cmd.ErrOrStderr(), field+": no line of the bundle follows from this field alone")
		return errFound
	}
	return nil
}

// isAtOrBelow compares fields, of which each may speak of every node: nodes.*.address.
func isAtOrBelow(field, top string) bool {
	has, want := schema.SplitPath(field), schema.SplitPath(top)
	if len(has) < len(want) {
		return false
	}
	for i := range want {
		if has[i] != want[i] && has[i] != "*" && want[i] != "*" {
			return false
		}
	}
	return true
}

// decided lists lines of a file with what decides them, as far as it is wanted. line is the one that was asked for, or 0.
func (l loaded) decided(f artifact.File, line int, wanted func(artifact.Origin) bool) []decided {
	all := []decided{}
	text := strings.Split(string(f.Data), "\n")
	for _, o := range f.Origins {
		if !wanted(o) {
			continue
		}
		if n := len(all); n == 0 || all[n-1].First != o.First || all[n-1].Last != o.Last {
			shown := text[o.First-1 : o.Last]
			if line > 0 {
				shown = text[line-1 : line]
			}
			all = append(all, decided{File: f.Path, First: o.First, Last: o.Last, Text: firstLine(shown)})
		}
		last := &all[len(all)-1]
		last.Fields = append(last.Fields, l.decider(o.Field))
	}
	return all
}

// firstLine is the first that is not a comment, or else the first.
func firstLine(lines []string) string {
	at := slices.IndexFunc(lines, func(line string) bool { return !strings.HasPrefix(strings.TrimSpace(line), "#") })
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
