package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"skep.dev/generators/firewall"
	"skep.dev/schema/finding"
	"skep.dev/schema/finding/forge"
	"skep.dev/schema/lint"
	"skep.dev/schema/waive"
)

// verdict is what vet finds, as data: in file order.
type verdict struct {
	Schema   string       `json:"schema"`
	Findings finding.List `json:"findings"`
}

// vetOptions are the flags of vet.
type vetOptions struct {
	strict bool
	today  string
	root   string
	as     string
	format *reports
}

// newVetCmd checks a spec.
func newVetCmd() *cobra.Command {
	var o vetOptions
	cmd := &cobra.Command{
		Use:   "vet [SPEC...]",
		Short: "check a spec: mistakes, and warnings",
		Long: `vet checks a spec, or several one by one; the current directory unless told: a directory that holds one CUE package,
or a file that ends in .cue, .yaml, .yml or .json. The SPEC - is a text on stdin that stands for the file of --as.
Each mistake is one line, file:line:col: path: got: rule. The spec's tests are tried on the firewall rules that it
compiles to; one that fails is a mistake, and so is an exposure whose expires date has passed. Warnings are about specs
that are right but may not be what you want; each ends in an ID that skep explain tells more about. vet exits 1 when
there are mistakes, and with --strict when there are warnings.

What is found is told as lines on stderr, or in the forms that --format names:
  json      data, on stdout
` + forgeForms() + `Each may be named with a file, --format sarif=FILE, beside what stands on stdout.`,
		Example: `  skep vet
  skep vet paris rome --strict
  skep vet - --as paris/cluster.cue <unsaved
  skep vet --format github --format sarif=skep.sarif    # in a workflow`,
		ValidArgsFunction: completeSpecs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{specArg(args)}
			}
			return vet(cmd, args, o)
		},
	}
	cmd.Flags().BoolVar(&o.strict, "strict", false, "exit 1 when there are warnings")
	cmd.Flags().StringVar(&o.today, "today", "", "look at expires dates as on `DATE`, such as 2027-01-31 (default today)")
	o.format = addReports(cmd)
	cmd.Flags().StringVar(&o.as, "as", "", "the SPEC - is read from stdin, and stands for `FILE`")
	cmd.Flags().StringVar(&o.root, "root", "", "forges name files from `DIR` (default the repository around the working directory)")
	return cmd
}

// forgeForms tells what each form of a forge is, a line each.
func forgeForms() string {
	var b strings.Builder
	for _, f := range forge.Formats() {
		fmt.Fprintf(&b, "  %-10s%s\n", f.Name, f.For)
	}
	return b.String()
}

func vet(cmd *cobra.Command, specs []string, o vetOptions) error {
	today := time.Now()
	if o.today != "" {
		var err error
		if today, err = time.Parse(time.DateOnly, o.today); err != nil {
			return usageError{fmt.Sprintf("vet: --today: %q: want a date such as 2027-01-31", o.today)}
		}
	}
	found, err := o.findings(cmd.InOrStdin(), specs, today)
	if err != nil {
		return err
	}
	if err := o.format.write(cmd, specs, o.root, found); err != nil {
		return err
	}
	var mistakes finding.List
	for _, f := range found {
		if f.Level == finding.Mistake {
			mistakes = append(mistakes, f)
		} else if o.format.tellsText() {
			tell(cmd.ErrOrStderr(), f)
		}
	}
	switch {
	case len(mistakes) > 0 && o.format.tellsText():
		return mistakes
	case len(mistakes) > 0, o.strict && len(found) > 0:
		return errFound
	}
	return nil
}

// findings gives all that is to be said about specs, each once, and about one after the other. The error is why one cannot
// be read. In specs it leaves the file for which - stands.
func (o vetOptions) findings(stdin io.Reader, specs []string, today time.Time) (finding.List, error) {
	i := slices.Index(specs, "-")
	switch {
	case i < 0 && o.as != "":
		return nil, usageError{"vet: --as: is for the SPEC -, which is read from stdin"}
	case i >= 0 && o.as == "":
		return nil, usageError{"vet: -: say with --as which file the text on stdin stands for, such as --as cluster.cue"}
	}
	var all finding.List
	told := map[finding.Finding]bool{}
	for at, path := range specs {
		read := load
		if at == i {
			specs[at], path = o.as, o.as
			read = func(path string) (loaded, error) {
				text, err := io.ReadAll(stdin)
				if err != nil {
					return loaded{}, fmt.Errorf("stdin: %w", err)
				}
				return loadText(path, text)
			}
		}
		c, err := read(path)
		found, err := about(c, err, today)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !told[f] { // one file may be part of several specs
				told[f] = true
				all = append(all, f)
			}
		}
	}
	return all, nil
}

// findings gives all that is to be said about a spec, in file order. The error is why it cannot be read.
func findings(path string, today time.Time) (finding.List, error) {
	c, err := load(path)
	return about(c, err, today)
}

// about is findings for a spec that was loaded, or could not be.
func about(c loaded, err error, today time.Time) (finding.List, error) {
	var mistakes finding.List
	if errors.As(err, &mistakes) {
		return mistakes, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := firewall.Files(c.Cluster)
	if err != nil {
		return nil, err
	}
	sim, err := firewall.Simulate(c.Cluster, files)
	if err != nil {
		return nil, err
	}
	found := c.spec.Locate(waive.Accepted(c.Cluster, slices.Concat(lint.Find(c.Cluster, c.spec), sim.Lint(), sim.Failed(), lint.Expiries(c.Cluster, today))))
	for _, s := range c.Stacks {
		found = append(found, s.Said...) // which have their places, in the Compose files
	}
	return found.Ordered(), nil
}
