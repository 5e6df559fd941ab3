// Package shell_test has bash, shellcheck and shfmt judge every shell file of every bundle.
package shell_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
)

func TestShell(t *testing.T) {
	for _, bundle := range judge.Bundles(t) {
		t.Run(judge.Example(bundle), func(t *testing.T) {
			files := scripts(t, bundle)
			if len(files) == 0 {
				t.Fatal("the bundle has no shell file")
			}
			t.Run("bash", func(t *testing.T) {
				for _, f := range files {
					pass(t, bundle, judge.Tool(t, "bash", "bash"), "-n", f)
				}
			})
			t.Run("shellcheck", func(t *testing.T) {
				pass(t, bundle, judge.Tool(t, "shellcheck", "shellcheck"),
					append([]string{"-S", "warning", "-s", "bash", "-x", "-P", "SCRIPTDIR"}, files...)...)
			})
			t.Run("shfmt", func(t *testing.T) {
				pass(t, bundle, judge.Tool(t, "shfmt", "shfmt"), append([]string{"-d", "-ln", "bash", "-i", "0"}, files...)...)
			})
		})
	}
}

// The repository's own shell: what makes a release and tests a change, the steps of the action, and what verifies an archive.
func TestOwnShell(t *testing.T) {
	for dir, least := range map[string]int{"../../../.ci": 5, "../../../.github/action": 1, "../../../generators/archive": 1} {
		files := scripts(t, dir)
		if len(files) < least {
			t.Errorf("%s has %v", dir, files)
		}
		pass(t, dir, judge.Tool(t, "shellcheck", "shellcheck"), append([]string{"-S", "warning"}, files...)...)
		pass(t, dir, judge.Tool(t, "shfmt", "shfmt"), append([]string{"-d", "-ln", "bash", "-i", "0"}, files...)...)
	}
}

// pass runs a judge in the bundle; it passes with exit 0 and nothing to say.
func pass(t *testing.T, bundle, tool string, args ...string) {
	t.Helper()
	cmd := exec.Command(tool, args...)
	cmd.Dir = bundle
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", tool, err, out)
	}
}

// scripts returns the shell files of a bundle: by name, or by the first line. A file that can be run has to be one.
func scripts(t *testing.T, bundle string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(bundle, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(bundle, path)
		if err != nil {
			return err
		}
		shebang := bytes.HasPrefix(data, []byte("#!/usr/bin/env bash\n"))
		if shebang || strings.HasSuffix(path, ".sh") {
			files = append(files, rel)
		}
		if info.Mode()&0o111 != 0 && !shebang {
			t.Errorf("%s can be run and is no bash", rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
