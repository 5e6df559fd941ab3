package main

import (
	"github.com/spf13/cobra"

	"skep.dev/schema/jsonschema"
)

// newSchemaCmd writes the schema for editors.
func newSchemaCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "write the JSON Schema of a spec, for editors",
		Long: `schema writes the JSON Schema (draft-07) of a spec in YAML or JSON. An editor that has it completes fields, shows what they
are for, and marks what cannot stand there. What joins two fields, such as the name of a node, skep vet alone sees.

skep init --yaml puts it beside the spec, which names it in its first line. A spec of your own does so with:
  # yaml-language-server: $schema=./` + jsonschema.FileName + `
and a spec in JSON with the field "$schema", which skep does not read. In CUE the schema is a copy below cue.mod, by skep init.`,
		Example: "  skep schema >" + jsonschema.FileName,
		Args:    atMost(0, "argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := jsonschema.Text()
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	addFormats(cmd, formatJSON)
	return cmd
}
