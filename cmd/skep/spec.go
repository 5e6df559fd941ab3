package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// specArg is the spec a verb reads: its only argument, or the current directory.
func specArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// completeSpec offers the files that can be a spec, and directories.
func completeSpec(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"cue", "yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

// format is how data is written to stdout.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

// String is the format's name.
func (f *format) String() string { return string(*f) }

// Set takes the format from the command line.
func (f *format) Set(s string) error {
	switch format(s) {
	case formatText, formatJSON:
		*f = format(s)
		return nil
	}
	return fmt.Errorf("want text or json")
}

// Type is the placeholder in the flag's help.
func (f *format) Type() string { return "text|json" }

// newJSON writes data as JSON for machines that people read along with.
func newJSON(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e
}

// addFormat gives cmd the flag --format, text unless told.
func addFormat(cmd *cobra.Command) *format {
	f := formatText
	cmd.Flags().Var(&f, "format", "write data as text or json")
	complete := cobra.FixedCompletions([]cobra.Completion{string(formatText), string(formatJSON)}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("format", complete); err != nil {
		panic(err) // only when the flag is missing or registered twice
	}
	return &f
}
