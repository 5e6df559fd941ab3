package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// specArg is the spec a verb reads: its only argument, or the current directory.
func specArg(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// completeSpecs is completeSpec for a verb that takes several.
func completeSpecs(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completeSpec(cmd, nil, typed)
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
	formatText     format = "text"
	formatJSON     format = "json"
	formatMarkdown format = "markdown"
)

// formatFlag is the flag --format of a verb: one of the formats that it knows.
type formatFlag struct {
	value format
	known []format
}

// String is the format's name.
func (f *formatFlag) String() string { return string(f.value) }

// Set takes the format from the command line.
func (f *formatFlag) Set(s string) error {
	if !slices.Contains(f.known, format(s)) {
		return fmt.Errorf("want %s", f.names())
	}
	f.value = format(s)
	return nil
}

// Type is the placeholder in the flag's help.
func (f *formatFlag) Type() string { return strings.Join(f.words(), "|") }

func (f *formatFlag) words() []string {
	words := make([]string, len(f.known))
	for i, k := range f.known {
		words[i] = string(k)
	}
	return words
}

// names is such as "text, json or markdown".
func (f *formatFlag) names() string { return either(f.words()) }

// either is such as "text, json or markdown".
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// version1 names the form of what a verb writes as JSON: a later form that programs could not read has another name.
func version1(verb string) string { return "skep.dev/" + verb + "/v1" }

// newJSON writes data as JSON for machines that people read along with.
func newJSON(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e
}

// addFormat gives cmd the flag --format, text unless told; json is always there, and what else the verb knows.
func addFormat(cmd *cobra.Command, more ...format) *format {
	return addFormats(cmd, append([]format{formatText, formatJSON}, more...)...)
}

// addFormats gives cmd the flag --format with the formats that it knows; the first is that of a command without the flag.
func addFormats(cmd *cobra.Command, known ...format) *format {
	f := &formatFlag{value: known[0], known: known}
	cmd.Flags().Var(f, "format", "write data as "+f.names())
	complete := cobra.FixedCompletions(f.words(), cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("format", complete); err != nil {
		panic(err) // only when the flag is missing or registered twice
	}
	return &f.value
}
