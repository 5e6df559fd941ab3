package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"skep.dev/schema"
)

// verdict is what vet finds, as data.
type verdict struct {
	Mistakes schema.Mistakes  `json:"mistakes"`
	Warnings []schema.Finding `json:"warnings"`
}

// newVetCmd checks a spec.
func newVetCmd() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "vet [SPEC]",
		Short: "check a spec: mistakes, and warnings",
		Long: `vet checks a spec, the current directory unless told: a directory that holds one CUE package, or a file that
ends in .cue, .yaml, .yml or .json.
Each mistake is one line, file:line:col: path: got: rule. Warnings are about specs that are right but may not be what
you want; each ends in an ID that skep explain tells more about. vet exits 1 when there are mistakes, and with
--strict when there are warnings.`,
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 1 when there are warnings")
	format := addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cluster, err := schema.Load(specArg(args))
		v := verdict{Mistakes: schema.Mistakes{}, Warnings: []schema.Finding{}}
		if err != nil && !errors.As(err, &v.Mistakes) {
			return err
		}
		if err == nil {
			v.Warnings = append(v.Warnings, schema.Lint(cluster)...)
		}
		if err == nil && strict && len(v.Warnings) > 0 {
			err = errFound
		}
		if *format == formatText {
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
	return cmd
}
