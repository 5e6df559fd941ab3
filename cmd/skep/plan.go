package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"skep.dev/generators/plan"
)

func newPlanCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan OLD [NEW]",
		Short: "tell what applying NEW after OLD would change: ports, tasks and data",
		Long: `plan compares two states of a cluster, and tells what applying NEW after OLD would do: which ports it opens and closes,
to whom and on which nodes; where the Docker engine restarts; which services get new tasks, whether somebody answers
meanwhile, which are made anew, and which volumes begin empty; and whether the authority of ACME asks in another way.
Both are read back from the files of the bundles, not from the specs, and no cluster is asked. Each is one of
  a bundle    a directory that skep build wrote
  a spec      as for the other verbs; NEW is the one in the current directory unless told
  REV:PATH    a bundle or spec in a revision of the git repository around the current directory: main:paris/bundle
It exits 1 when there are changes.`,
		Example: `  skep plan bundle                     # what the next build and run would change
  skep plan HEAD:bundle bundle
  skep plan main:cluster.cue cluster.cue --format json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{"plan: want OLD, and perhaps NEW (see: skep plan --help)"}
			}
			return atMost(2, "bundle")(cmd, args)
		},
	}
	form := addFormat(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		args = append(args, ".")
		before, after, err := bundlesOf(args[0], args[1])
		if err != nil {
			return err
		}
		p, err := plan.Compare(before, after)
		if err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		if *form == formatJSON {
			err = newJSON(cmd.OutOrStdout()).Encode(struct {
				Schema string `json:"schema"`
				plan.Plan
			}{version1("plan"), p})
		} else {
			err = writePlan(cmd, p)
		}
		if err == nil && !p.Empty() {
			err = errFound
		}
		return err
	}
	return cmd
}

func writePlan(cmd *cobra.Command, p plan.Plan) error {
	if p.Empty() {
		talk(cmd.ErrOrStderr(), "plan: nothing changes")
		return nil
	}
	for _, line := range p.Lines() {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	return nil
}
