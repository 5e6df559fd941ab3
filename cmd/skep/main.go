// Command skep compiles one CUE description of a Docker Swarm cluster into a bundle of files to review and run.
//
// How it speaks: stdout is data, stderr is talk. A mistake in a spec is one line, `file:line:col: path: got: rule`;
// everything else that goes wrong is one line that begins with "skep: ", in lower case and without a full stop.
// Verbs return errors; only this file prints them and exits.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"skep.dev/generators/archive"
	"skep.dev/generators/artifact"
	"skep.dev/schema/finding"
)

// Exit codes. They do not add up: a script may test for exactly one.
const (
	exitGood    = 0
	exitFound   = 1 // mistakes in the spec, findings, differences
	exitUsage   = 2
	exitRefused = 3 // nothing was done, so that nothing is lost
	exitIO      = 4
	exitChanges = 5 // of plan --detailed-exitcode
)

// errChanges ends a plan that has changes, where its exit code is to tell them from mistakes.
var errChanges = errors.New("changes")

// errFound ends a verb whose findings are printed already.
var errFound = errors.New("findings")

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func main() {
	debug.SetGCPercent(600) // a short life: memory is cheaper than the time to reclaim it
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is skep with the given arguments; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	out := newOutput(stdout)
	stderr = newTalker(stderr)
	root := newRootCmd()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := unknownVerb(root, args)
	if err == nil {
		err = root.Execute()
	}
	if broken := out.Flush(); broken != nil && (err == nil || isTold(err)) {
		err = fmt.Errorf("stdout: %w", broken)
	}
	say(stderr, err)
	return exitCode(err)
}

// say prints what went wrong, one line each.
func say(w io.Writer, err error) {
	if err == nil || isTold(err) {
		return
	}
	if found, ok := err.(finding.List); ok { // each begins with the place in the user's file, where an editor can jump to
		for _, f := range found {
			tell(w, f)
		}
		return
	}
	prefix := "skep: "
	if errors.As(err, new(finding.List)) {
		prefix = ""
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(w, prefix+strings.TrimRight(line, "\n"))
	}
}

// isTold reports whether an error is the exit code alone.
func isTold(err error) bool { return errors.Is(err, errFound) || errors.Is(err, errChanges) }

// talk prints one line that is not data.
func talk(w io.Writer, line string) { fmt.Fprintln(w, "skep: "+line) }

func exitCode(err error) int {
	var usage usageError
	var refusal artifact.Refusal
	switch {
	case err == nil:
		return exitGood
	case errors.Is(err, errChanges):
		return exitChanges
	case errors.Is(err, errFound), errors.As(err, new(finding.List)), errors.As(err, new(archive.Wrong)):
		return exitFound
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &refusal), errors.As(err, new(archive.Older)):
		return exitRefused
	}
	return exitIO
}
