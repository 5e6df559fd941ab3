package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"skep.dev/generators/firewall"
	"skep.dev/schema/finding"
	"skep.dev/schema/lint"
)

// verdict is what vet finds, as data.
type verdict struct {
	Mistakes finding.List `json:"mistakes"`
	Warnings finding.List `json:"warnings"`
}

// vetOptions are the flags of vet.
type vetOptions struct {
	strict bool
	today  string
	format *format
}

// newVetCmd checks a spec.
func newVetCmd() *cobra.Command {
	var o vetOptions
	cmd := &cobra.Command{
		Use:   "vet [SPEC]",
		Short: "check a spec: mistakes, and warnings",
		Long: `vet checks a spec, the current directory unless told: a directory that holds one CUE package, or a file that
ends in .cue, .yaml, .yml or .json.
Each mistake is one line, file:line:col: path: got: rule. The spec's tests are tried on the firewall rules that it
compiles to; one that fails is a mistake, and so is an exposure whose expires date has passed. Warnings are about specs
that are right but may not be what you want; each ends in an ID that skep explain tells more about. vet exits 1 when
there are mistakes, and with --strict when there are warnings.`,
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			return vet(cmd, specArg(args), o)
		},
	}
	cmd.Flags().BoolVar(&o.strict, "strict", false, "exit 1 when there are warnings")
	cmd.Flags().StringVar(&o.today, "today", "", "look at expires dates as on `DATE`, such as 2027-01-31 (default today)")
	o.format = addFormat(cmd)
	return cmd
}

func vet(cmd *cobra.Command, spec string, o vetOptions) error {
	today := time.Now()
	if o.today != "" {
		var err error
		if today, err = time.Parse(time.DateOnly, o.today); err != nil {
			return usageError{fmt.Sprintf("vet: --today: %q: want a date such as 2027-01-31", o.today)}
		}
	}
	v := verdict{Mistakes: finding.List{}, Warnings: finding.List{}}
	err := v.find(spec, today)
	if err != nil && !errors.As(err, &v.Mistakes) {
		return err
	}
	if err == nil && o.strict && len(v.Warnings) > 0 {
		err = errFound
	}
	if *o.format == formatText {
		for _, w := range v.Warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), w.Error())
		}
		return err
	}
	if broken := newJSON(cmd.OutOrStdout()).Encode(v); broken != nil {
		return broken
	}
	if err != nil { // the mistakes are in the data
		return errFound
	}
	return nil
}

// find notes the warnings about a spec; the error is its mistakes, or why it cannot be read.
func (v *verdict) find(path string, today time.Time) error {
	c, err := load(path)
	if err != nil {
		return err
	}
	files, err := firewall.Files(c.Cluster)
	if err != nil {
		return err
	}
	wall, err := firewall.NewWall(c.Cluster, files)
	if err != nil {
		return err
	}
	found := slices.Concat(lint.Find(c.Cluster, c.spec), wall.Lint(), wall.Prove(), lint.Expiries(c.Cluster, today))
	var mistakes finding.List
	for _, f := range c.spec.Locate(found) {
		if f.Level == finding.Mistake {
			mistakes = append(mistakes, f)
		} else {
			v.Warnings = append(v.Warnings, f)
		}
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	return nil
}
