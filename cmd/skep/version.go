package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version of a released binary: .ci/release has the linker set it (-X main.release=v1.2.3). What go install
// builds knows its version from the module.
var release string

// buildInfo is what the Go toolchain noted in the binary.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	CUE      string `json:"cue"`
}

func newVersionCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "say which skep this is",
		Long: `version says which skep this is, which Go built it and which CUE it speaks.
No generated file holds a version: a newer skep shows as a difference only where it writes something else.`,
		Example: `  skep version
  skep version --json`,
		Args: atMost(0, "argument"),
	}
	form := addFormat(cmd)
	asJSON := cmd.Flags().Bool("json", false, "the same as --format json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		info := readBuildInfo()
		if *asJSON || *form == formatJSON {
			return newJSON(cmd.OutOrStdout()).Encode(struct {
				Schema string `json:"schema"`
				buildInfo
			}{version1("version"), info})
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), info)
		return err
	}
	return cmd
}

// String is one line such as "skep v0.1.0 (go1.26.8, cue v0.17.1)".
func (b buildInfo) String() string {
	s := "skep " + b.Version
	if b.Revision != "" {
		s += " " + b.Revision
	}
	if b.Modified {
		s += " modified"
	}
	return fmt.Sprintf("%s (%s, cue %s)", s, b.Go, b.CUE)
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: "(devel)", CUE: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == "cuelang.org/go" {
			b.CUE = dep.Version
		}
	}
	if release != "" {
		b.Version = release
	}
	if b.Version != "(devel)" {
		return b // a released version or a pseudo-version names the commit already
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
