package tls_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/tls"
)

// spec returns a cluster of some managers, with what else the caller adds.
func spec(managers int, rest string) string {
	var nodes strings.Builder
	for i := range managers {
		fmt.Fprintf(&nodes, "  m%d: {address: 10.0.0.%d, role: manager}\n", i+1, i+11)
	}
	return `name: edge
kind: target
domain: edge.example.org
nodes:
` + nodes.String() + `access: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32]}
` + rest
}

// script writes the spec's script to a directory of its own and returns its path.
func script(t *testing.T, spec string) string {
	t.Helper()
	files, err := tls.Files(judge.Cluster(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(judge.Write(t, t.TempDir(), files), tls.Script)
}

// result is what a run of the script said.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the script in a process group of its own, with extra directories in front of PATH.
func run(t *testing.T, path []string, script string, args ...string) result {
	t.Helper()
	judge.Tool(t, "openssl", "openssl")
	var stdout, stderr strings.Builder
	cmd := exec.Command(script, args...)
	cmd.Env = append(os.Environ(), "PATH="+strings.Join(append(path, os.Getenv("PATH")), ":"))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// good runs the script and wants exit 0 and silence on stderr.
func good(t *testing.T, script string, args ...string) string {
	t.Helper()
	r := run(t, nil, script, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%v: exit %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// bad runs the script and wants an exit code and one line on stderr that contains want.
func bad(t *testing.T, code int, want, script string, args ...string) {
	t.Helper()
	r := run(t, nil, script, args...)
	if r.code != code || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, want) {
		t.Errorf("%v: exit %d, want %d and one line with %q\n%s%s", args, r.code, code, want, r.stdout, r.stderr)
	}
}

// tree returns every file below dir with its mode, time and content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = fmt.Sprint(info.Mode(), info.ModTime(), string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changed returns the files that differ between two trees, those of a directory as the directory.
func changed(before, after map[string]string) map[string]bool {
	dirs := map[string]bool{}
	for name := range after {
		if before[name] != after[name] {
			dirs[filepath.Dir(name)] = true
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			dirs[filepath.Dir(name)] = true
		}
	}
	return dirs
}
