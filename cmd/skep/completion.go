package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newCompletionCmd() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "write the completion script of a shell",
		Long:  "completion writes a script that completes skep's verbs, flags and specs in " + strings.Join(shells, ", ") + ".",
		Example: `  skep completion bash > /etc/bash_completion.d/skep
  skep completion zsh > "${fpath[1]}/_skep"
  skep completion fish > ~/.config/fish/completions/skep.fish`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{"completion: want one of " + strings.Join(shells, ", ")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, w := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w, true)
			case "zsh":
				return root.GenZshCompletion(w)
			case "fish":
				return root.GenFishCompletion(w, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(w)
			}
			return usageError{fmt.Sprintf("completion: %q: want one of %s", args[0], strings.Join(shells, ", "))}
		},
	}
}
