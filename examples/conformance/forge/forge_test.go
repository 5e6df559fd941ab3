// Package forge_test has actionlint judge the workflows that run here and those that examples/gitops shows, with the action
// that they use.
package forge_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/examples/conformance/judge"
)

// lint returns what actionlint says in a directory. It is no package of this module: it wants an older YAML than skep.
func lint(t *testing.T, dir string, args ...string) string {
	t.Helper()
	args = append([]string{"run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "-no-color", "-oneline"}, args...)
	cmd := exec.Command(judge.Tool(t, "go", "golang"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "exit status 1\n")
}

func TestWorkflows(t *testing.T) {
	judge.Tool(t, "shellcheck", "shellcheck")
	var files []string
	for _, pattern := range []string{"../../../.github/workflows/*.yaml", "../../gitops/.github/workflows/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 2 {
			t.Fatal(pattern, found, err)
		}
		files = append(files, found...)
	}
	// swarm is the label of a runner of one's own.
	if said := lint(t, ".", append([]string{"-ignore", `label "swarm" is unknown`}, files...)...); said != "" {
		t.Error(said)
	}
}

// actionlint reads action.yml where a workflow uses it, and tells of inputs and outputs that are not there.
func TestAction(t *testing.T) {
	dir := t.TempDir()
	action, err := os.ReadFile("../../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"action.yml": string(action),
		".git/HEAD":  "ref: refs/heads/main\n",
		".github/workflows/a.yaml": `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: skep
        uses: ./
        with:
          spec: paris
          sepc: paris
      - run: echo "$CHANGED"
        env:
          CHANGED: ${{ steps.skep.outputs.changed }}${{ steps.skep.outputs.chagned }}
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said := lint(t, dir, ".github/workflows/a.yaml")
	if strings.Count(said, "\n") != 2 || !strings.Contains(said, `input "sepc" is not defined`) || !strings.Contains(said, `"chagned" is not defined`) {
		t.Errorf("want the two mistakes, got\n%s", said)
	}
}

// A real pre-commit runs the hooks of .pre-commit-hooks.yaml with a skep on PATH: good, wrong, and with a bundle that was forgotten.
func TestPreCommit(t *testing.T) {
	tool := judge.Tool(t, "pre-commit", "pre-commit")
	dir := t.TempDir()
	user, hooks := filepath.Join(dir, "user"), filepath.Join(dir, "hooks")
	do := func(in, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PRE_COMMIT_HOME="+dir+"/home", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+dir+"/gitconfig")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(in, name string, args ...string) string {
		t.Helper()
		out, err := do(in, name, args...)
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(out)
	}
	write := func(path string, data []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) []byte {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	write(dir+"/gitconfig", []byte("[user]\nname = test\nemail = test@example.org\n"))
	must("../../..", judge.Tool(t, "go", "golang"), "build", "-o", dir+"/skep", "./cmd/skep")
	write(hooks+"/.pre-commit-hooks.yaml", read("../../../.pre-commit-hooks.yaml"))
	spec := read("../../gitops/paris/cluster.cue")
	write(user+"/paris/cluster.cue", spec)
	for _, repository := range []string{hooks, user} {
		must(repository, "git", "init", "-q")
		must(repository, "git", "add", ".")
		must(repository, "git", "commit", "-q", "-m", "first")
	}
	write(user+"/.pre-commit-config.yaml", []byte("repos:\n  - repo: "+hooks+"\n    rev: "+must(hooks, "git", "rev-parse", "HEAD")+
		"\n    hooks:\n      - {id: skep-vet-system, args: [paris]}\n      - {id: skep-build-system, args: [paris]}\n"))
	must(user, dir+"/skep", "build", "paris")
	must(user, "git", "add", ".")
	if out := must(user, tool, "run", "--all-files"); strings.Count(out, "Passed") != 2 {
		t.Error(out)
	}
	for edit, want := range map[string]string{`port: 8443`: "changed    firewall/manager.nft", `port: 84430`: "84430: want a port"} {
		write(user+"/paris/cluster.cue", []byte(strings.Replace(string(spec), "port: 443", edit, 1)))
		must(user, "git", "add", ".")
		if out, err := do(user, tool, "run"); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: want %s: %v\n%s", edit, want, err, out)
		}
	}
}
