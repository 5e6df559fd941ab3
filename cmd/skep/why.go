package main

import (
	"bytes"
	"fmt"
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
	"skep.dev/schema/written"
)

func newWhyCmd() *cobra.Command {
	var field string
	cmd := &cobra.Command{
		Use:   "why FILE[:LINE] [SPEC]",
		Short: "show which field of the spec decides a line of the bundle, and back",
		Long: `why shows where a line of the bundle comes from: the field of the spec that decides it, its value, and the line of the
spec that sets it, or the default. Where no field speaks of the line alone, it names those that decide the file; where none
does, the place in skep's own source. Without LINE it shows that for all of FILE.

With --field it goes the other way: to each line of the bundle that a field, or one below it, decides.

The bundle is compiled anew, in memory. When FILE on disk differs from that, why says so: its lines may be others.
The exit code is 1 then, and also when no field decides the line: much of a bundle is skep's own.`,
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
	r.Lines = c.about(file, line)
	if edited {
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: differs from what the spec compiles to, so that its lines may be others; skep build writes it anew", name))
	}
	undecided := !slices.ContainsFunc(r.Lines, func(d decided) bool { return len(d.Fields) > 0 })
	switch {
	case len(r.Lines) == 0:
		talk(cmd.ErrOrStderr(), name+": no single field decides it: it follows from the spec as a whole")
	case undecided:
		talk(cmd.ErrOrStderr(), name+": no field decides it: it is skep's own, and the same for every cluster")
	}
	if err := r.write(cmd.OutOrStdout(), form); err != nil {
		return err
	}
	if edited || undecided {
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
		wanted := func(of string) bool { return isAtOrBelow(of, field) }
		r.Lines = slices.Concat(r.Lines, c.whole(f, 0, wanted), c.decided(f, 0, func(o artifact.Origin) bool { return wanted(o.Field) }))
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
