package lab

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository is a bare repository, the clone of whoever edits, and that of the runner that applies.
type repository struct{ dir, clone, runner string }

// do runs a command in a directory, and wants that exit code.
func (r repository) do(t *testing.T, code int, dir, name string, args ...string) string {
	t.Helper()
	if name == "skep" {
		name = r.dir + "/bin/skep"
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+r.dir+"/bin:"+os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+r.dir+"/gitconfig",
		"RUNNER_TEMP="+r.dir, "GITHUB_OUTPUT="+r.dir+"/output", "GITHUB_STEP_SUMMARY="+r.dir+"/summary",
		"SPEC=site", "BUNDLE=", "BASE=origin/main", "STRICT=false", "CHECK=true", "SARIF=false")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%s %s: %v, want exit %d\n%s", name, strings.Join(args, " "), err, code, out)
	}
	return string(out)
}

// git runs commands of git in the clone of whoever edits.
func (r repository) git(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		r.do(t, 0, r.clone, "git", strings.Fields(c)...)
	}
}

// commit writes the spec, and its bundle too when it is not forgotten.
func (r repository) commit(t *testing.T, spec string, more ...string) {
	t.Helper()
	write(t, filepath.Join(r.clone, "site/cluster.cue"), spec)
	for _, verb := range more {
		r.do(t, 0, r.clone, "skep", verb, "site")
	}
	r.git(t, "add .", "commit -q -m edited")
}

func newRepository(t *testing.T, l *lab, spec string) repository {
	t.Helper()
	need(t, map[string]string{"git": "git"})
	r := repository{dir: t.TempDir()}
	r.clone, r.runner = r.dir+"/clone", r.dir+"/runner"
	for _, dir := range []string{r.dir + "/bin", r.clone + "/site"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, r.dir+"/gitconfig", "[user]\nname = test\nemail = test@example.org\n[init]\ndefaultBranch = main\n")
	buildSkep(t, r.dir+"/bin/skep")
	r.do(t, 0, r.dir, "git", "init", "-q", "--bare", "forge.git")
	r.git(t, "init -q", "remote add origin "+r.dir+"/forge.git")
	r.commit(t, spec, "build")
	r.git(t, "push -q origin HEAD:main", "fetch -q")
	r.do(t, 0, r.dir, "git", "clone", "-q", "forge.git", "runner")
	l.bundle = r.runner + "/site/bundle"
	return r
}

// TestGitOps takes a change through a repository to machines that are known by the host keys of the spec alone: edited on a branch,
// red without its bundle, planned, merged, applied. What somebody then changes by hand is found, and put right.
func TestGitOps(t *testing.T) {
	if *vm {
		t.Skip("-vm runs TestLab alone")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cluster.cue"), elsewhere)
	l := newLab(t, dir)
	l.compile(t)
	alpha, beta := hostKey(t, l, "alpha"), hostKey(t, l, "beta-2")
	spec := elsewhere + known("alpha", alpha) + known("beta-2", beta)
	r := newRepository(t, l, spec)
	l.images = t.TempDir()
	state := []string{"--state", r.dir + "/state"}
	run := func(code int, args ...string) outcome {
		t.Helper()
		o := l.runbook(t, append(append([]string{"run"}, args...), state...)...)
		o.want(t, code)
		return o
	}
	look := []string{"--dry-run", "--detailed-exitcode"}
	run(0, "--yes")
	run(0, look...)
	open := func(want bool) {
		t.Helper()
		if got, err := passes("users", net.JoinHostPort("172.31.7.5", "8443"), 2*time.Second); got != want || err != nil {
			t.Errorf("8443 from users: open is %v, want %v (%v)", got, want, err)
		}
	}
	open(false)

	script, err := filepath.Abs("../../.github/action/skep.sh")
	if err != nil {
		t.Fatal(err)
	}
	r.git(t, "switch -q -c open")
	spec += "\ncluster: exposures: shop: {proto: \"tcp\", port: 8443, on: [\"all\"], from: [\"users\"], mode: \"host\", why: \"the shop\"}\n"
	r.commit(t, spec)
	r.do(t, 1, r.clone, script, "review")
	r.commit(t, spec, "build")
	r.do(t, 0, r.clone, script, "review")
	if plan := read(t, r.dir+"/summary"); !strings.Contains(plan, "| opened | `8443/tcp on manager alpha to everyone") {
		t.Errorf("the plan:\n%s", plan)
	}
	r.git(t, "switch -q main", "merge -q open", "push -q origin main")

	r.do(t, 0, r.runner, "git", "pull", "-q")
	r.do(t, 0, r.runner, "skep", "build", "--check", "site")
	run(5, look...).want(t, 5, "firewall")
	run(0, "--yes")
	run(0, look...)
	open(true)

	l.on(t, "beta-2", "iptables -t mangle -F SKEP && rm /etc/docker/daemon.json")
	run(5, look...).want(t, 5, "beta-2")
	run(0, "--yes")
	run(0, look...)
	open(true)

	// Nobody logs in to a machine that has another key.
	r.commit(t, elsewhere+known("alpha", alpha)+known("beta-2", alpha), "build")
	r.git(t, "push -q origin main")
	r.do(t, 0, r.runner, "git", "pull", "-q")
	run(3, "--dry-run")
}

// hostKey is the public key of a node's sshd.
func hostKey(t *testing.T, l *lab, node string) string {
	t.Helper()
	return strings.Join(strings.Fields(l.on(t, node, "cat /etc/ssh/ssh_host_ed25519_key.pub"))[:2], " ")
}

// known is the part of a spec that says by which key a node is known.
func known(node, key string) string {
	return "\ncluster: nodes: \"" + node + "\": ssh: hostKeys: [\"" + key + "\"]\n"
}
