package main

import "github.com/spf13/cobra"

// newExplainCmd shows a field of the schema.
func newExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [FIELD]",
		Short: "show a field's type, default, rule and example",
		Long:  "explain shows a field of the spec.",
		Args:  atMost(1, "FIELD"),
		RunE:  func(*cobra.Command, []string) error { return usageError{"explain: not written yet"} },
	}
}
