package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"skep.dev/generators/plan"
)

func newPlanCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan OLD [NEW]",
		Short: "tell what applying NEW after OLD would change: ports, tasks and data",
		Long: `plan compares two states of a cluster, and tells what applying NEW after OLD would do: which ports it opens and closes,
to whom and on which nodes; where the Docker engine restarts; which services get new tasks, whether somebody answers
meanwhile, which are made anew, and which volumes begin empty; whether the authority of ACME asks in another way; which
certificates are made, what has to be handed over before the run, and which steps of the runbook may find something to do.
Both are read back from the files of the bundles, not from the specs, and no cluster is asked. Each is one of
  a bundle    a directory that skep build wrote
  a spec      as for the other verbs; NEW is the one in the current directory unless told
  REV:PATH    a bundle or spec in a revision of the git repository around the current directory: main:paris/bundle
It exits 1 when there are changes; with --detailed-exitcode 5, so that they are no mistake.

--format markdown is a comment beside a change. Its first line names NEW, so that the next plan can take its place; what is opened
comes first, and is never left out. Its last line has the digests of both MANIFESTs.`,
		Example: `  skep plan bundle                     # what the next build and run would change
  skep plan HEAD:bundle bundle
  skep plan main:cluster.cue cluster.cue --format json
  skep plan origin/main:bundle bundle --format markdown --detailed-exitcode >comment.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{"plan: want OLD, and perhaps NEW (see: skep plan --help)"}
			}
			return atMost(2, "bundle")(cmd, args)
		},
	}
	var o planOptions
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit 0 when nothing changes and 5 when something does; 1 to 4 mean that it failed")
	cmd.Flags().IntVar(&o.most, "max-bytes", 60000, "size of the text with --format markdown: beyond it all is left out but what is opened")
	o.format = addFormat(cmd, formatMarkdown)
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
		if err := writePlan(cmd, args[1], p, o); err != nil || p.Empty() {
			return err
		}
		if o.detailed {
			return errChanges
		}
		return errFound
	}
	return cmd
}

// planOptions are the flags of plan.
type planOptions struct {
	detailed bool
	most     int
	format   *format
}

func writePlan(cmd *cobra.Command, name string, p plan.Plan, o planOptions) error {
	switch *o.format {
	case formatJSON:
		return newJSON(cmd.OutOrStdout()).Encode(struct {
			Schema string `json:"schema"`
			plan.Plan
		}{version1("plan"), p})
	case formatMarkdown:
		text := p.Markdown(name, o.most)
		if len(text) > o.most {
			talk(cmd.ErrOrStderr(), fmt.Sprintf("plan: %d bytes: what is opened is never left out, and a forge may refuse the comment", len(text)))
		}
		_, err := io.WriteString(cmd.OutOrStdout(), text)
		return err
	}
	if p.Empty() {
		talk(cmd.ErrOrStderr(), "plan: nothing changes")
		return nil
	}
	for _, line := range p.Lines() {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	talk(cmd.ErrOrStderr(), "plan: to apply this and nothing else: runbook.sh run --planned "+p.Planned())
	return nil
}
