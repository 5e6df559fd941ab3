package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators/artifact"
	"skep.dev/schema"
	"skep.dev/schema/jsonschema"
)

// firstModule makes the directory a CUE module, so that the cue command and editors find the schema's copy.
const firstModule = `module: "cluster.example"
language: version: "v0.17.0"
`

// initOptions are the flags of init.
type initOptions struct {
	kind, from string
	compose    []string // [NAME=]FILE[,FILE...]
	nodes      string   // file with what docker node inspect says, or -
	yaml       bool
}

func newInitCmd() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "write a commented spec to begin with",
		Long: `init writes cluster.cue, a commented spec that builds as it is, into DIR or the current directory, whose name the
cluster gets. --kind swarm is for services of your own; on a target Nuvla deploys, and a host runs Nuvla itself. --from
begins with one of the examples instead.
--from-compose makes a spec of the applications that you have: each Compose file is a stack, called as its directory, or as
NAME in NAME=FILE; FILE,FILE is one over the other. The spec refers to the files, which are below DIR, and copies none of
them. --from-nodes makes the nodes of what docker node inspect prints, in a file, or - for stdin; the swarm is there then,
its secrets are taken as they are, and init says which tasks the first deploy restarts. What the files leave to you stands
behind a comment sign, and init says it as vet does, with the line to write: it exits 1 until nothing is missing. The kind is
swarm then, unless told.
Beside a spec it puts a copy of the schema for editors, in cue.mod for the cue command, too, or with --yaml as JSON Schema; skep
itself does not read the copy. It overwrites nothing: when a file is there already and differs, nothing is written.`,
		Example: `  skep init --kind swarm paris
  cd paris
  $EDITOR cluster.cue
  skep vet

  skep init --from-compose blog/compose.yaml --from-compose shop=shop/base.yaml,shop/production.yaml
  docker node inspect $(docker node ls -q) | skep init --from-nodes - --from-compose stacks/*/compose.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			return atMost(1, "DIR")(cmd, composeArgs(args, &initOptions{compose: o.compose}))
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return initialize(cmd, specArg(composeArgs(args, &o)), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.kind, "kind", "target", "`KIND` of the cluster: "+either(kinds()))
	flags.BoolVar(&o.yaml, "yaml", false, "write cluster.yaml, and the schema as "+jsonschema.FileName)
	flags.StringVar(&o.from, "from", "", "begin with an `EXAMPLE`: "+either(exampleNames()))
	flags.StringArrayVar(&o.compose, "from-compose", nil, "take the stack of a `[NAME=]FILE[,FILE...]` into the spec (repeat for more)")
	flags.StringVar(&o.nodes, "from-nodes", "", "take the nodes from a `FILE` with what docker node inspect prints, or -")
	for flag, words := range map[string][]string{"kind": kinds(), "from": exampleNames()} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // only when the flag is missing or registered twice
		}
	}
	return cmd
}

func initialize(cmd *cobra.Command, dir string, o initOptions) error {
	name, err := clusterName(dir)
	if err != nil {
		return err
	}
	if o.imports() && !cmd.Flags().Changed("kind") {
		o.kind = "swarm"
	}
	var spec map[string][]byte
	var notes []string
	switch {
	case o.from != "" && o.imports():
		return usageError{"init: --from takes the example as it is: leave out --from-compose and --from-nodes"}
	case o.from != "" && (o.yaml || cmd.Flags().Changed("kind")):
		return usageError{"init: --from takes the example as it is: leave out --kind and --yaml"}
	case o.from != "" && !slices.Contains(exampleNames(), o.from):
		return usageError{fmt.Sprintf("init: --from: %q: want %s", o.from, either(exampleNames()))}
	case !slices.Contains(kinds(), o.kind):
		return usageError{fmt.Sprintf("init: --kind: %q: want %s", o.kind, either(kinds()))}
	case o.from != "":
		spec, err = example(o.from, name)
	default:
		f := firstOf(name, o)
		if o.imports() {
			f.Imported = true
			notes, err = takeOver(cmd, dir, o, &f)
		}
		if err == nil {
			spec, err = firstSpec(f)
		}
	}
	if err != nil {
		return err
	}
	main, arg := "cluster.cue", dir
	if _, ok := spec[main]; ok {
		maps.Copy(spec, schema.Vendored())
		spec["cue.mod/module.cue"] = []byte(firstModule)
	} else {
		main = "cluster.yaml"
		arg = filepath.Join(dir, main)
		if err = withJSONSchema(spec, main); err != nil {
			return err
		}
	}
	if err := writeNew(dir, spec); err != nil {
		return err
	}
	if o.imports() {
		err = missing(cmd, arg)
	}
	for _, note := range notes {
		talk(cmd.ErrOrStderr(), note)
	}
	talk(cmd.ErrOrStderr(), filepath.Join(dir, main)+": edit it, then run: skep vet"+inDir(arg))
	return err
}

// clusterName makes the name of a cluster from that of its directory.
func clusterName(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := asName(filepath.Base(dir))
	if name == "" {
		return "", usageError{fmt.Sprintf("init: the directory %s gives the cluster no name: call it by lower-case letters, digits and dashes", dir)}
	}
	return name, nil
}

// asName makes of a text a name of the spec, or nothing.
func asName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	const longest = 40
	return strings.Trim(name[:min(len(name), longest)], "-")
}

// inDir is what a command needs to work on dir.
func inDir(dir string) string {
	if filepath.Clean(dir) == "." {
		return ""
	}
	return " " + dir
}

// writeNew writes files below dir unless one is there with other content, or a spec in another language.
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
	for _, name := range []string{"cluster.cue", "cluster.yaml", "cluster.json"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil && files[name] == nil {
			refusal.Because = append(refusal.Because, artifact.Difference{Path: name, Note: "is there already: a directory holds one spec"})
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
