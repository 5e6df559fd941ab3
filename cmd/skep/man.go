package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCmd() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "man DIR",
		Short: "write the manual pages",
		Long:  "man writes a manual page for skep, and one for each of its verbs, into DIR.",
		Example: `  skep man ~/.local/share/man/man1
  man skep-build`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{"man: want one DIR"}
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			page := manual
			if markdown {
				page = markdownPage
			}
			return writePages(cmd.Root(), args[0], page)
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write them as Markdown")
	return cmd
}

// writePages writes the pages of a command and of its verbs.
func writePages(cmd *cobra.Command, dir string, page func(*cobra.Command) (name string, text []byte, err error)) error {
	for _, verb := range cmd.Commands() {
		if verb.IsAvailableCommand() {
			if err := writePages(verb, dir, page); err != nil {
				return err
			}
		}
	}
	cmd.InitDefaultHelpFlag()
	cmd.DisableAutoGenTag = true
	name, text, err := page(cmd)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), text, 0o644)
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manual has no date: the same skep writes the same pages on any day.
func manual(cmd *cobra.Command) (string, []byte, error) {
	var b bytes.Buffer
	err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Manual: "skep", Date: &time.Time{}}, &b)
	return pageName(cmd) + ".1", bytes.Replace(b.Bytes(), []byte(`"Jan 0001"`), []byte(`""`), 1), err
}

func markdownPage(cmd *cobra.Command) (string, []byte, error) {
	var b bytes.Buffer
	err := doc.GenMarkdownCustom(cmd, &b, func(link string) string {
		return strings.ReplaceAll(link, "_", "-")
	})
	return pageName(cmd) + ".md", b.Bytes(), err
}
