package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/schema/explain"
)

// newExplainCmd shows a field of the schema.
func newExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [FIELD|ID]",
		Short: "show a field's type, default, rule and example",
		Long: `explain shows a field of the spec: its type, whether it must be set, its default, rule and an example.
A field is a path such as services.nfs.path; * or any name stands for a node: nodes.*.address.
It also tells about a mistake or a warning by its ID, which vet --format json has. Without a field it lists the top of
the spec, and all IDs.`,
		Args:              atMost(1, "FIELD"),
		ValidArgsFunction: completeField,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := explain.About(strings.Join(args, ""))
			if err != nil {
				return usageError{"explain: " + err.Error()}
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// completeField offers the fields below what is typed so far, and the IDs of findings.
func completeField(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return explain.Fields(typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
