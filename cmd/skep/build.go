package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/generators/firewall"
)

// buildOptions are the flags of build.
type buildOptions struct {
	output    string
	check     bool
	overwrite bool
	format    *format
}

func newBuildCmd() *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build [SPEC]",
		Short: "compile a spec into a bundle, or check that a bundle is up to date",
		Long: `build compiles SPEC into a bundle: all files that the cluster needs, in the directory "bundle" beside the spec.
The same spec gives the same bytes on any machine, so keep the bundle in git and review what changes.

Nothing is written unless the whole spec is good. In the bundle build touches its own files alone, those that
MANIFEST lists: it never overwrites a file of yours, and refuses when one of its own was edited by hand.
An interrupted build is completed by the next one.

With --check nothing is written, and the exit code is 1 when the bundle is not what the spec compiles to.
On stdout stands what changed, or what --check found:
  added, changed, removed    the spec says otherwise than the bundle
  mode                       a program that is not executable, or the reverse
  edited                     changed by hand since skep wrote it
  foreign                    not written by skep, and in a folder of the bundle: runbook.sh refuses to run beside it
  unfinished                 an interrupted build`,
		Example: `  skep build
  skep build paris/cluster.cue -o out/paris
  skep build --check          # in a pipeline, on the committed bundle`,
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			return build(cmd, specArg(args), o)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write the bundle to `DIR` (default \"bundle\" beside SPEC)")
	cmd.Flags().BoolVar(&o.check, "check", false, "write nothing; exit 1 when the bundle is not up to date")
	cmd.Flags().BoolVar(&o.overwrite, "overwrite-edits", false, "give up what was edited by hand in skep's own files")
	o.format = addFormat(cmd)
	return cmd
}

func build(cmd *cobra.Command, path string, o buildOptions) error {
	if o.check && o.overwrite {
		return usageError{"build: --check writes nothing: leave out --overwrite-edits"}
	}
	if cmd.Flags().Changed("output") && o.output == "" {
		return usageError{"build: --output is empty: want a directory"}
	}
	if err := plainName(cmd, o.output, "a directory"); err != nil {
		return err
	}
	if _, err := os.Stat(o.output); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(o.output); err == nil {
			return fmt.Errorf("%s: is a link to nothing", o.output)
		}
	}
	_, files, err := proven(path)
	if err != nil {
		return err
	}
	if o.output == "" {
		if o.output, err = bundleBeside(path); err != nil {
			return err
		}
	}
	if o.check {
		return checkBundle(cmd, files, o)
	}
	return writeBundle(cmd, files, o)
}

// plainName refuses an --output that means something else in a shell.
func plainName(cmd *cobra.Command, output, want string) error {
	if output == "-" || strings.HasPrefix(output, "~") {
		return usageError{fmt.Sprintf("%s: --output: %q: want %s, and the shell did not make one of this; if you mean it: ./%[2]s", cmd.Name(), output, want)}
	}
	return nil
}

// proven is a spec and the files of its bundle, whose firewall does what the spec's tests say.
func proven(path string) (loaded, []artifact.File, error) {
	c, err := load(path)
	if err != nil {
		return c, nil, err
	}
	files, err := generators.Generate(c.Cluster)
	if err != nil {
		return c, nil, err
	}
	failed, err := firewall.Prove(c.Cluster, files)
	if err == nil && len(failed) > 0 {
		err = c.spec.Locate(failed)
	}
	return c, files, err
}

// bundleBeside is where the bundle of a spec is unless told: in the spec's directory.
func bundleBeside(spec string) (string, error) {
	info, err := os.Stat(spec)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		spec = filepath.Dir(spec)
	}
	return filepath.Join(spec, "bundle"), nil
}

func checkBundle(cmd *cobra.Command, files []artifact.File, o buildOptions) error {
	differences, err := artifact.Diff(o.output, files)
	if err != nil {
		return withHints(err)
	}
	if _, err := os.Stat(o.output); errors.Is(err, fs.ErrNotExist) && *o.format == formatText { // a list of everything tells nothing
		talk(cmd.ErrOrStderr(), o.output+": no such directory; skep build writes it")
		return errFound
	}
	result := buildResult{Schema: version1("build"), Bundle: o.output, Files: len(files) + 1, Differences: differences}
	if err := result.write(cmd.OutOrStdout(), *o.format); err != nil {
		return err
	}
	if err := tellBeside(cmd.ErrOrStderr(), files, o); err != nil {
		return err
	}
	if len(differences) > 0 {
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: out of date: %s", o.output, count(differences)))
		return errFound
	}
	talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: up to date, %d files", o.output, result.Files))
	return nil
}

// tellBeside warns of what lies beside skep's own files and folders: it harms nothing, and perhaps should not be there.
func tellBeside(w io.Writer, files []artifact.File, o buildOptions) error {
	names, err := artifact.Beside(o.output, files)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if len(names) > 0 {
		talk(w, fmt.Sprintf("%s: warning: not written by skep, and read by nothing: %s", o.output, strings.Join(names, ", ")))
	}
	return err
}

func writeBundle(cmd *cobra.Command, files []artifact.File, o buildOptions) error {
	write := artifact.Write
	if o.overwrite {
		write = artifact.Overwrite
	}
	report, err := write(o.output, files)
	if err != nil {
		return withHints(err)
	}
	for _, d := range report.Foreign {
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: warning: not written by skep; runbook.sh refuses to run until it is moved away", filepath.Join(o.output, d.Path)))
	}
	result := buildResult{Schema: version1("build"), Bundle: o.output, Files: report.Files, Differences: report.Differences}
	first := len(report.Differences) == report.Files && !slices.ContainsFunc(report.Differences, func(d artifact.Difference) bool {
		return d.Kind != artifact.Added
	})
	switch {
	case first && *o.format == formatText: // a list of everything tells nothing
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: %d files written; begin with %s", o.output, report.Files, filepath.Join(o.output, "README.md")))
		return nil
	case len(report.Differences) == 0:
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: up to date, %d files", o.output, report.Files))
	default:
		talk(cmd.ErrOrStderr(), fmt.Sprintf("%s: %d files: %s", o.output, report.Files, count(report.Differences)))
	}
	return result.write(cmd.OutOrStdout(), *o.format)
}

// withHints tells for a refusal what to do about it.
func withHints(err error) error {
	var refusal artifact.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	hints := map[artifact.Kind]string{}
	for _, d := range refusal.Because {
		switch {
		case d.Kind == artifact.Edited:
			hints[d.Kind] = "hint: take the edits into the spec, or give them up with --overwrite-edits"
		case d.Path == ".":
			return fmt.Errorf("%w\nhint: choose another directory with -o", err)
		case d.Kind == artifact.Foreign:
			hints[d.Kind] = "hint: move away what is in the way"
		}
	}
	for _, kind := range []artifact.Kind{artifact.Edited, artifact.Foreign} {
		if hints[kind] != "" {
			err = fmt.Errorf("%w\n%s", err, hints[kind])
		}
	}
	return err
}

// buildResult is what build writes to stdout.
type buildResult struct {
	Schema      string                `json:"schema"`
	Bundle      string                `json:"bundle"`
	Files       int                   `json:"files"`
	Differences []artifact.Difference `json:"differences"`
}

func (r buildResult) write(w io.Writer, f format) error {
	if f == formatJSON {
		if r.Differences == nil {
			r.Differences = []artifact.Difference{} // a list, even when it is empty
		}
		return newJSON(w).Encode(r)
	}
	colours := coloursOf(w)
	for _, d := range r.Differences {
		line := colours.kind(d.Kind) + strings.Repeat(" ", 11-len(d.Kind)) + d.Path
		if d.Note != "" {
			line += " (" + d.Note + ")"
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// count sums differences up, such as "1 added, 2 changed".
func count(differences []artifact.Difference) string {
	var parts []string
	for _, kind := range []artifact.Kind{
		artifact.Added, artifact.Changed, artifact.Removed, artifact.Mode, artifact.Edited, artifact.Foreign, artifact.Unfinished,
	} {
		n := 0
		for _, d := range differences {
			if d.Kind == kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}
