package main

import (
	"github.com/spf13/cobra"

	"skep.dev/schema"
)

// newVetCmd checks a spec.
func newVetCmd() *cobra.Command {
	return &cobra.Command{
		Use:               "vet [SPEC]",
		Short:             "check a spec: mistakes, and warnings",
		Long:              "vet checks a spec.",
		Args:              atMost(1, "SPEC"),
		ValidArgsFunction: completeSpec,
		RunE: func(_ *cobra.Command, args []string) error {
			_, err := schema.Load(specArg(args))
			return err
		},
	}
}
