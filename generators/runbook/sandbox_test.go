package runbook_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/firewall"
	"skep.dev/generators/nfs"
	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
	"skep.dev/generators/tls"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// sandbox is a bundle and a recorded cluster: ssh runs each program in a mount namespace of its own, where docker,
// systemctl and the like are small recorders. What it shows is order, resumption, refusal and secrecy; whether the
// commands work on real nodes is shown by examples/lab.
// Tests that take a minute or more begin with TestLong: .ci/test leaves them to .ci/full.
type sandbox struct {
	t      testing.TB
	bundle string
	fake   string
	path   string
	node   string // the recorded node that this machine plays, for --transport local
	env    []string
	days   int // how far the clock of every machine is ahead
}

// nodePrograms are the programs of a node that testdata/node.sh stands in for.
var nodePrograms = []string{
	"docker", "dockerd", "df", "systemctl", "systemd-run", "curl", "nft", "ip", "ss", "sysctl", "exportfs", "iptables",
	"iptables-restore", "ip6tables", "ip6tables-restore", "iptables-save", "ip6tables-save",
	"sudo", "sleep", "unshare", "modprobe", "mount", "mount.nfs", "umount", "apt-cache", "apt-get", "apt-mark", "dpkg", "dpkg-query", "journalctl", "timeout", "ufw", "uname", "wg", "nsenter",
}

func newSandbox(t testing.TB, c *schema.Cluster) *sandbox {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel() // a sandbox is alone with its files and mounts
	}
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Fatal("not proven: want root and unshare(1) from util-linux")
	}
	dir := t.TempDir()
	s := &sandbox{t: t, bundle: filepath.Join(dir, "bundle"), fake: filepath.Join(dir, "fake")}
	s.path = filepath.Join(s.fake, "bin") + ":/usr/local/bin:/usr/bin:/bin"
	s.build(c)
	for _, d := range []string{"bin", "node", "down"} {
		must(t, os.MkdirAll(filepath.Join(s.fake, d), 0o755))
	}
	data, err := filepath.Abs("testdata")
	must(t, err)
	must(t, os.Symlink(filepath.Join(data, "ssh.sh"), filepath.Join(s.fake, "bin/ssh")))
	must(t, os.Symlink(filepath.Join(data, "docker.sh"), filepath.Join(s.fake, "docker.sh")))
	for _, name := range nodePrograms {
		must(t, os.Symlink(filepath.Join(data, "node.sh"), filepath.Join(s.fake, "node", name)))
	}
	return s
}

// build writes the cluster's bundle.
func (s *sandbox) build(c *schema.Cluster) {
	s.t.Helper()
	must(s.t, os.RemoveAll(s.bundle))
	var files []artifact.File
	for _, generate := range []func(*schema.Cluster) ([]artifact.File, error){
		engine.Files, firewall.Files, nfs.Files, tls.Files, vpn.Files, runbook.Files, stack.Files,
	} {
		fs, err := generate(c)
		must(s.t, err)
		files = append(files, fs...)
	}
	for _, f := range append(files, artifact.Manifest(files)) {
		path := filepath.Join(s.bundle, f.Path)
		must(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(s.t, os.WriteFile(path, f.Data, f.Mode))
	}
	for _, n := range c.Nodes {
		if n.Platform.Architecture == "arm64" {
			must(s.t, os.MkdirAll(s.fake, 0o755))
			s.write("machine."+cmp.Or(n.Underlay, n.Address).String(), "aarch64\n")
		}
	}
	if c.Images.Loads() {
		s.archives(c)
	}
}

// archives puts the archives of what the lock names where the runbook looks for them.
func (s *sandbox) archives(c *schema.Cluster) {
	for image, locked := range c.Lock {
		for platform, p := range locked.Platforms {
			dir := filepath.Join(filepath.Dir(s.bundle), "images", strings.ReplaceAll(platform, "/", "_"))
			must(s.t, os.MkdirAll(dir, 0o755))
			writeArchive(s.t, dir, image, strings.TrimPrefix(p.Config, "sha256:"))
		}
	}
}

// result is what a run of runbook.sh left.
type result struct {
	stdout, stderr string
	code           int // -1 when a signal ended it
}

// run runs runbook.sh in a process group of its own, without a terminal.
func (s *sandbox) run(args ...string) result {
	s.t.Helper()
	cmd := exec.Command("bash", append([]string{filepath.Join(s.bundle, "runbook.sh")}, args...)...)
	cmd.Env = []string{"PATH=" + s.path, "FAKE=" + s.fake, "HOME=/nonexistent", "TMPDIR=" + s.t.TempDir()}
	cmd.Env = append(cmd.Env, s.env...)
	if s.node != "" {
		cmd.Args = append([]string{"unshare", "-m", "bash", "-c", `mount --bind "$NODE/etc" /etc && mount --bind "$NODE/var" /var &&
			mount --bind "$NODE/run" /run && mount --bind "$NODE/sbin" /usr/local/sbin && PATH=$FAKE/node:/usr/bin:/bin exec "$@"`, "node"}, cmd.Args...)
		cmd.Path = "/usr/bin/unshare"
		cmd.Env = append(cmd.Env, "NODE="+s.node)
	}
	s.clock(cmd)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// tool returns the path of a program that the tests need.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("not proven: install %s", name)
	}
	return path
}

// command runs another program of the bundle on the operator's machine.
func command(s *sandbox, name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(s.bundle, name), args...)
	s.clock(cmd)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// clock sets the time that a command, and all that it starts, believes.
func (s *sandbox) clock(cmd *exec.Cmd) {
	s.t.Helper()
	if s.days > 0 {
		cmd.Args = append([]string{"faketime", "-f", fmt.Sprintf("+%dd", s.days)}, cmd.Args...)
		cmd.Path = tool(s.t, "faketime")
	}
}

// must run and end with that exit code.
func (s *sandbox) want(code int, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code {
		s.t.Fatalf("runbook.sh %s: exit %d, want %d\n%s\n%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

func (s *sandbox) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.fake, name), []byte(text), 0o644))
}

func (s *sandbox) remove(name string) {
	s.t.Helper()
	must(s.t, os.Remove(filepath.Join(s.fake, name)))
}

// calls returns the recorded argument lists.
func (s *sandbox) calls() string {
	b, err := os.ReadFile(filepath.Join(s.fake, "calls"))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(b)
}

// changes returns the recorded calls that change something.
func (s *sandbox) changes(since int) []string {
	var out []string
	for line := range strings.Lines(s.calls()[since:]) {
		for _, word := range []string{" create", "deploy --prune", "swarm init", "/swarm/join", "restart", " update", " enable", " mask", "pull", "-f ", " rm", "change-bucket-owner"} {
			if strings.Contains(line, word) && !strings.Contains(line, "-c -f") && !strings.HasPrefix(line, "ssh ") && !strings.Contains(line, " nsenter ") {
				out = append(out, strings.TrimSpace(line))
				break
			}
		}
	}
	return out
}

func (s *sandbox) state(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.bundle+".state", name))
	must(s.t, err)
	return string(b)
}

// target is the example, with its share where the recorded nodes have their own disk.
func target(t testing.TB) *schema.Cluster {
	t.Helper()
	c := load(t, "target")
	share(c, "/var/lib/share", "any")
	return c
}

// share puts what NFS and S3 share at a path, on a file system of its own or on any.
func share(c *schema.Cluster, path, filesystem string) {
	if n := c.Services.NFS; n != nil {
		n.Path, n.Filesystem = path, filesystem
	}
	if s := c.Services.S3; s != nil {
		s.Path, s.Filesystem = path, filesystem
	}
	for i, d := range c.Rows.Directories {
		if d.Field == "services.nfs.path" || d.Field == "services.s3.path" {
			c.Rows.Directories[i].Path, c.Rows.Directories[i].Filesystem = path, filesystem
		}
	}
	if c.Services.NFS == nil {
		return
	}
	for i, share := range c.Services.NFS.Shares { // a recorded node has a /var of its own, and no other place
		old, now := share.Path, "/var/lib/"+share.Name
		if strings.HasPrefix(old, "/var/lib/") {
			continue
		}
		c.Services.NFS.Shares[i].Path, c.Services.NFS.Shares[i].Filesystem = now, filesystem
		for j, d := range c.Rows.Directories {
			if d.Path == old || strings.HasPrefix(d.Path, old+"/") {
				c.Rows.Directories[j].Path, c.Rows.Directories[j].Filesystem = now+strings.TrimPrefix(d.Path, old), filesystem
			}
		}
	}
}

func load(t testing.TB, example string) *schema.Cluster {
	t.Helper()
	c, _, err := spec.Load("../../examples/" + example)
	must(t, err)
	if n := c.Services.NFS; n != nil {
		share(c, n.Path, "any") // the recorded nodes have one disk
	}
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
