package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRootCmd is skep itself; its verbs stand in the order in which one needs them.
func newRootCmd() *cobra.Command {
	verbs := []*cobra.Command{
		newInitCmd(),
		newVetCmd(),
		newBuildCmd(),
		newReachCmd(),
		newPlanCmd(),
		newWhyCmd(),
		newImagesCmd(),
		newArchiveCmd(),
		newExplainCmd(),
		newSchemaCmd(),
		newLSPCmd(),
		newVersionCmd(),
		newCompletionCmd(),
		newManCmd(),
	}
	root := &cobra.Command{
		Use:   "skep",
		Short: "compile one description of a Docker Swarm cluster into files to review and run",
		Args:  func(cmd *cobra.Command, args []string) error { return checkVerb(cmd, args) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddCommand(verbs...)
	root.SetHelpCommand(newHelpCmd(root))
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd == root {
			writeRootHelp(cmd.OutOrStdout(), verbs)
			return
		}
		writeVerbHelp(cmd.OutOrStdout(), cmd)
	})
	return root
}

// newHelpCmd replaces cobra's, which exits 0 for a verb that does not exist.
func newHelpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [VERB]",
		Short:  "explain a verb",
		Hidden: true,
		Args:   atMost(1, "VERB"),
		RunE: func(_ *cobra.Command, args []string) error {
			verb, _, err := root.Find(args)
			if err != nil || (len(args) > 0 && verb == root) {
				return checkVerb(root, args)
			}
			return verb.Help()
		},
	}
}

// What does in a bundle, or in skep, what other programs call by another verb.
const (
	runs  = "skep never talks to a cluster; to apply a bundle: bundle/runbook.sh run"
	undos = "skep never talks to a cluster; to take back what a bundle did: bundle/runbook.sh undo"
	looks = "skep never talks to a cluster; to look at one: bundle/runbook.sh status"
)

// elsewhere are verbs of other programs, and where what they do is done.
var elsewhere = map[string]string{
	"apply": runs, "deploy": runs, "up": runs, "run": runs, "install": runs, "start": runs,
	"down": undos, "destroy": undos, "undo": undos, "delete": undos, "uninstall": undos, "remove": undos, "rm": undos,
	"status": looks, "ps": looks, "verify": looks,
	"generate": "did you mean build?", "compile": "did you mean build?", "render": "did you mean build?", "template": "did you mean build?", "make": "did you mean build?",
	"validate": "did you mean vet?", "check": "did you mean vet?", "lint": "did you mean vet?", "test": "did you mean vet?",
	"diff": "did you mean plan, or build --check?", "new": "did you mean init?", "create": "did you mean init?",
	"fmt": "for CUE there is cue fmt", "format": "for CUE there is cue fmt", "docs": "did you mean explain?",
}

// unknownVerb is the error for words that begin with no verb, --help among them or not: cobra would show the help of skep.
func unknownVerb(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	verb, rest, err := root.Find(args)
	if err != nil || verb != root {
		return nil
	}
	for _, word := range rest {
		switch {
		case strings.HasPrefix(word, cobra.ShellCompRequestCmd):
			return nil
		case !strings.HasPrefix(word, "-"):
			return checkVerb(root, []string{word})
		}
	}
	return nil
}

// checkVerb is the error for a verb that does not exist, with the one that was probably meant.
func checkVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("%q is not a verb of skep", args[0])
	if way := elsewhere[args[0]]; way != "" {
		return usageError{text + "; " + way}
	}
	if ext := path.Ext(args[0]); ext == ".cue" || ext == ".yaml" || ext == ".yml" || ext == ".json" {
		return usageError{fmt.Sprintf("%s; a spec follows a verb: skep vet %s", text, args[0])}
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return usageError{text + " (see: skep --help)"}
}

// atMost refuses more than n arguments.
func atMost(n int, name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return usageError{fmt.Sprintf("%s: %q is one %s too many (see: skep %s --help)", cmd.Name(), args[n], name, cmd.Name())}
	}
}

// flagError says what is wrong with a flag, and which one was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		want := errors.Unwrap(invalid).Error()
		switch invalid.GetFlag().Value.Type() {
		case "bool":
			want = "want true or false"
		case "int":
			want = "want a whole number"
		}
		text = fmt.Sprintf("--%s: %q: %s", invalid.GetFlag().Name, invalid.GetValue(), want)
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "" {
		text = fmt.Sprintf("unknown flag -%s", unknown.GetSpecifiedShortnames())
		if near := nearestFlag(cmd, unknown.GetSpecifiedShortnames()); near != "" { // a long name behind one dash
			text += fmt.Sprintf("; did you mean --%s?", near)
		}
	} else if errors.As(err, &unknown) {
		text = fmt.Sprintf("unknown flag --%s", unknown.GetSpecifiedName())
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			text += fmt.Sprintf("; did you mean --%s?", near)
		} else if verbs := cmd.SuggestionsFor(unknown.GetSpecifiedName()); len(verbs) > 0 {
			text += fmt.Sprintf("; did you mean skep %s?", verbs[0])
		}
	}
	if cmd.HasParent() {
		return usageError{fmt.Sprintf("%s: %s (see: skep %s --help)", cmd.Name(), text, cmd.Name())}
	}
	return usageError{text + " (see: skep --help)"}
}

// nearestFlag is the flag of cmd that name was probably meant to be, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	// cobra knows how to look for a near name among commands; let it look among flags.
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if near := names.SuggestionsFor(name); len(near) > 0 {
		return near[0]
	}
	return ""
}

func writeRootHelp(w io.Writer, verbs []*cobra.Command) {
	fmt.Fprint(w, `skep compiles one description of a Docker Swarm cluster into a bundle of files to review and run.
It never talks to a cluster.

usage: skep VERB [SPEC] [flags]

`)
	for _, verb := range verbs {
		fmt.Fprintf(w, "  %-12s%s\n", verb.Name(), verb.Short)
	}
	fmt.Fprint(w, `
SPEC is a directory with one CUE package, or a .cue, .yaml or .json file; without it, the current directory.
exit codes: 0 good, 1 mistakes or differences, 2 usage, 3 refused so that nothing is lost, 4 input or output.

example:
  skep init paris && cd paris
  skep vet
  skep build
  less bundle/README.md

skep VERB --help explains a verb.
`)
}

func writeVerbHelp(w io.Writer, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag() // `skep help build` would not show it
	fmt.Fprintf(w, "%s\n\nusage: %s\n", strings.TrimSpace(cmd.Long), cmd.UseLine())
	if flags := cmd.LocalFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(w, "\nflags:\n%s", flags)
	}
	if cmd.Example != "" {
		fmt.Fprintf(w, "\nexample:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
}
