package main

import "github.com/spf13/cobra"

func newInitCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "write a commented spec to begin with",
		Long:  "init writes a spec.",
		Args:  atMost(1, "DIR"),
		RunE:  func(*cobra.Command, []string) error { return usageError{"init: not written yet"} },
	}
}
