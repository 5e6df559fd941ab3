package main

import (
	"bufio"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"skep.dev/cmd/skep/lsp"
	"skep.dev/schema"
	"skep.dev/schema/explain"
	"skep.dev/schema/finding"
	"skep.dev/schema/spec"
)

// newLSPCmd serves an editor.
func newLSPCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "show an editor what vet finds, while you write",
		Long: `lsp is a server of the Language Server Protocol for editors, over stdin and stdout. It shows what skep vet finds in the specs
that are open, with what is not saved yet, in all files of a package and in their Compose files; tells about the field at
the cursor as skep explain does; and makes the edits that findings ask for, such as the name that was meant.

A file is a spec when it is CUE beside an import of "skep.dev/schema", or YAML or JSON with nodes and access, or with
skep.schema.json as its schema. Completion is for others: the server of CUE (cue lsp), or that of YAML with what skep schema
writes. Both run beside this one.`,
		Example: `  -- Neovim
  vim.lsp.config.skep = {cmd = {"skep", "lsp"}, filetypes = {"cue", "yaml", "json"}, root_markers = {"cue.mod", ".git"}}
  vim.lsp.enable("skep")

  # Helix, languages.toml
  language-server.skep = {command = "skep", args = ["lsp"]}
  language = [{name = "cue", language-servers = ["cuelsp", "skep"]}]`,
		Args:              atMost(0, "argument"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, ok := cmd.OutOrStdout().(output)
			if !ok {
				return errors.New("lsp: stdout is not skep's own")
			}
			err := lsp.Serve(cmd.InOrStdin(), wire{out.buffer}, lsp.Desk{Find: findWith, Tell: tellAbout, Version: readBuildInfo().Version})
			if errors.Is(err, lsp.ErrUnasked) {
				return errFound // as the protocol wants it
			}
			return err
		},
	}
	cmd.Flags().Bool("stdio", true, "talk over stdin and stdout, the only way there is; many editors say so")
	return cmd
}

// wire is stdout as it is: JSON in frames, which no terminal sees.
type wire struct{ *bufio.Writer }

// Write writes a message at once.
func (w wire) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	return n, errors.Join(err, w.Flush())
}

// findWith gives all that vet says about a spec, where some files have another text.
func findWith(path string, texts map[string][]byte) (finding.List, error) {
	c, err := within(ample(), path, func() (loaded, error) {
		c, s, err := spec.LoadTexts(path, texts)
		return loaded{c, s}, err
	})
	return about(c, err, time.Now())
}

// tellAbout explains the field at a path.
func tellAbout(path []string) (string, error) { return explain.About(schema.JoinPath(path...)) }
