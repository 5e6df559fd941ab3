package main

import (
	"bytes"
	_ "embed"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
)

// firstSpec is the spec that init writes.
//
//go:embed init.cue
var firstSpec []byte

// firstModule makes the directory a CUE module, so that the cue command and editors find the schema's copy.
const firstModule = `module: "cluster.example"
language: version: "v0.17.0"
`

func newInitCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "write a commented spec to begin with",
		Long: `init writes cluster.cue, a commented spec that builds as it is, into DIR or the current directory.
Beside it, in cue.mod, it puts a copy of the schema for editors and the cue command; skep itself does not read
the copy. It overwrites nothing: when a file is there already and differs, nothing is written.`,
		Example: `  skep init paris
  cd paris
  $EDITOR cluster.cue
  skep vet`,
		Args: atMost(1, "DIR"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := specArg(args)
			if err := writeNew(dir, firstFiles()); err != nil {
				return err
			}
			talk(cmd.ErrOrStderr(), filepath.Join(dir, "cluster.cue")+": edit it, then run: skep vet"+inDir(dir))
			return nil
		},
	}
}

// inDir is what a command needs to work on dir.
func inDir(dir string) string {
	if filepath.Clean(dir) == "." {
		return ""
	}
	return " " + dir
}

func firstFiles() map[string][]byte {
	files := schema.Vendored()
	files["cluster.cue"] = firstSpec
	files["cue.mod/module.cue"] = []byte(firstModule)
	return files
}

// writeNew writes files below dir unless one is there with other content.
func writeNew(dir string, files map[string][]byte) error {
	refusal := artifact.Refusal{Dir: dir}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		switch got, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, name)
		case err != nil:
			return err
		case !bytes.Equal(got, files[name]):
			refusal.Because = append(refusal.Because, artifact.Difference{Path: name, Note: "is there already, and differs"})
		}
	}
	if len(refusal.Because) > 0 {
		return refusal
	}
	for _, name := range missing {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = f.Write(files[name])
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
