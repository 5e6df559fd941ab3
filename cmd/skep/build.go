package main

import "github.com/spf13/cobra"

func newBuildCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "build [SPEC]",
		Short: "compile a spec into a bundle, or check that it is up to date",
		Long:  "build compiles a spec.",
		Args:  atMost(1, "SPEC"),
		RunE:  func(*cobra.Command, []string) error { return usageError{"build: not written yet"} },
	}
}
