package runbook_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skep.dev/schema/spec"
)

// forge is a bare repository, the clone of whoever edits, and the clone of the runner that applies.
type forge struct {
	t             testing.TB
	dir           string
	clone, runner string
}

// do runs a command in a directory, and wants that exit code.
func (f *forge) do(code int, dir string, args ...string) string {
	f.t.Helper()
	name := args[0]
	if name == "skep" {
		name = f.dir + "/bin/skep"
	}
	cmd := exec.Command(name, args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+f.dir+"/bin:"+os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+f.dir+"/gitconfig",
		"RUNNER_TEMP="+f.dir, "GITHUB_OUTPUT="+f.dir+"/output", "GITHUB_STEP_SUMMARY="+f.dir+"/summary",
		"SPEC=paris", "BUNDLE=", "BASE=origin/main", "STRICT=true", "CHECK=true", "SARIF=false")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		f.t.Fatalf("%s: %v, want exit %d\n%s", strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

// git runs commands of git in the clone of whoever edits.
func (f *forge) git(commands ...string) {
	f.t.Helper()
	for _, c := range commands {
		f.do(0, f.clone, append([]string{"git"}, strings.Fields(c)...)...)
	}
}

// review is the step of action.yml on what is committed.
func (f *forge) review(code int) string {
	f.t.Helper()
	script, err := filepath.Abs("../../.github/action/skep.sh")
	must(f.t, err)
	_ = os.Remove(f.dir + "/output")
	f.do(code, f.clone, script, "review")
	out, err := os.ReadFile(f.dir + "/output")
	must(f.t, err)
	return string(out)
}

func newForge(t testing.TB) *forge {
	t.Helper()
	dir := t.TempDir()
	f := &forge{t: t, dir: dir, clone: dir + "/clone", runner: dir + "/runner"}
	must(t, os.Mkdir(dir+"/bin", 0o755))
	must(t, os.WriteFile(dir+"/gitconfig", []byte("[user]\nname = test\nemail = test@example.org\n[init]\ndefaultBranch = main\n"), 0o644))
	f.do(0, ".", tool(t, "go"), "build", "-o", dir+"/bin/skep", "../../cmd/skep")
	f.do(0, dir, tool(t, "git"), "init", "-q", "--bare", "forge.git")
	f.do(0, dir, "git", "clone", "-q", "forge.git", "clone")
	must(t, os.CopyFS(f.clone, os.DirFS("../../examples/gitops")))
	f.do(0, f.clone, "skep", "build", "paris")
	f.git("add .", "commit -q -m paris", "push -q origin HEAD:main", "fetch -q")
	f.do(0, dir, "git", "clone", "-q", "forge.git", "runner")
	return f
}

// The path of a change in examples/gitops: edited on a branch, red without its bundle, planned, merged, applied; and what
// somebody changes by hand is found at night, and put right.
func TestLongGitOps(t *testing.T) {
	f := newForge(t)
	c, _, err := spec.Load(f.clone + "/paris")
	must(t, err)
	s := newSandbox(t, c)
	s.bundle = f.runner + "/paris/bundle"
	state := []string{"--state", f.dir + "/state"}
	run := func(code int, args ...string) result {
		t.Helper()
		return s.want(code, append(append([]string{"run"}, args...), state...)...)
	}
	run(0, "--yes")
	run(0, "--dry-run", "--detailed-exitcode")

	f.git("switch -q -c open")
	path := f.clone + "/paris/cluster.cue"
	text, err := os.ReadFile(path)
	must(t, err)
	edited := strings.Replace(string(text), `port: 443`, `port: 8443`, 1)
	must(t, os.WriteFile(path, []byte(edited), 0o644))
	f.git("commit -q -a -m edited")
	if out := f.review(1); !strings.Contains(out, "exit-code=1") {
		t.Errorf("a bundle that was forgotten: %s", out)
	}
	f.do(0, f.clone, "skep", "build", "paris")
	f.git("add .", "commit -q -m built")
	if out := f.review(0); !strings.Contains(out, "changed=true") {
		t.Errorf("a bundle that was built: %s", out)
	}
	plan, err := os.ReadFile(f.dir + "/summary")
	must(t, err)
	for _, want := range []string{"<!-- skep plan paris/bundle -->", "| opened | `8443/tcp on all managers to everyone", "| closed | `443/tcp on all managers to everyone"} {
		if !strings.Contains(string(plan), want) {
			t.Errorf("the plan lacks %s:\n%s", want, plan)
		}
	}
	f.git("switch -q main", "merge -q open", "push -q origin main")

	f.do(0, f.runner, "git", "pull", "-q")
	f.do(0, f.runner, "skep", "build", "--check", "paris")
	run(5, "--dry-run", "--detailed-exitcode")
	before := len(s.calls())
	run(0, "--yes")
	checkOrder(t, s.changes(before), []string{"nft -f"})
	run(0, "--dry-run", "--detailed-exitcode")

	must(t, os.Remove(s.fake+"/hosts/10.0.0.12/etc/docker/daemon.json"))
	if r := run(5, "--dry-run", "--detailed-exitcode"); !strings.Contains(r.stdout, "m2") {
		t.Errorf("drift on m2:\n%s", r.stdout)
	}
	run(0, "--yes")
	run(0, "--dry-run", "--detailed-exitcode")
}
