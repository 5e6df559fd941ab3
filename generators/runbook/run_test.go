package runbook_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"skep.dev/schema"
)

// A whole run: it refuses without consent, goes through, keeps its secrets, and changes nothing the second time.
func TestRun(t *testing.T) {
	s := newSandbox(t, target(t))
	r := s.want(3, "run")
	if !strings.Contains(r.stderr, "add --yes") {
		t.Errorf("stderr: %s", r.stderr)
	}
	if strings.Contains(s.calls(), "restart docker") {
		t.Error("a dangerous step ran without consent")
	}

	if r = s.want(0, "run", "--yes"); r.stderr != "" {
		t.Errorf("stderr: %s", r.stderr)
	}
	checkOrder(t, s.changes(0), []string{
		"nft -f", "restart docker.service", "swarm init", "/swarm/join", "node update", "network create", "secret create",
		"restart nfs-server", "docker pull", "stack deploy --prune --with-registry-auth --resolve-image never --compose-file /var/lib/skep/bundle/stacks/traefik",
		"/stacks/monitoring/compose.yaml", "/stacks/s3/compose.yaml",
	})
	checkJSON(t, s.state("state.jsonl"), []string{"time", "run", "bundle", "step", "host", "status", "seconds"})
	checkJSON(t, s.state("log.jsonl"), []string{"time", "run", "step", "host", "phase", "exit", "text"})
	checkSecrets(t, s)
	checkMeasures(t, s)

	before := len(s.calls())
	r = s.want(0, "run")
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("the second run changed:\n%s", strings.Join(changes, "\n"))
	}
	if strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the second run did something:\n%s", r.stdout)
	}
	if got := strings.Count(s.calls()[before:], "ssh -T"); got != 4 {
		t.Errorf("the second run made %d connections, want one to each of three nodes and the call of the manager", got)
	}
	r = s.want(0, "status")
	if strings.Contains(r.stdout, "PENDING") || !strings.Contains(r.stdout, "ALREADY_DONE") {
		t.Errorf("status:\n%s", r.stdout)
	}
	s.want(0, "verify")
	checkChangedBundle(t, s)

	r = s.want(3, "undo")
	if !strings.Contains(r.stderr, "undo") {
		t.Errorf("stderr: %s", r.stderr)
	}
	s.want(0, "undo", "--yes")
	for _, path := range []string{"var/lib/skep-metrics", "var/lib/skep"} {
		if left, _ := filepath.Glob(filepath.Join(s.fake, "hosts/*", path)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.fake, "swarm/nodes/*")); len(left) > 0 {
		t.Errorf("nodes left in the swarm: %v", left)
	}
}

// checkOrder wants each text in a later line than the one before.
func checkOrder(t *testing.T, lines, want []string) {
	t.Helper()
	at := 0
	for _, text := range want {
		i := slices.IndexFunc(lines[at:], func(l string) bool { return strings.Contains(l, text) })
		if i < 0 {
			t.Fatalf("%q does not come after line %d of:\n%s", text, at, strings.Join(lines, "\n"))
		}
		at += i + 1
	}
}

// checkJSON wants lines that are objects of exactly these fields, in this order.
func checkJSON(t *testing.T, text string, fields []string) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		var keys []string
		if _, err := d.Token(); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				t.Fatalf("%v in %s", err, lines.Text())
			}
			keys = append(keys, fmt.Sprint(key))
			if _, err := d.Token(); err != nil {
				t.Fatalf("%v in %s", err, lines.Text())
			}
		}
		if !slices.Equal(keys, fields) {
			t.Fatalf("fields %v, want %v", keys, fields)
		}
	}
}

// checkMeasures wants each node to have what node-exporter reads: when things expire, two clients, two files, the swarm's
// and the web certificate on the manager that has Traefik.
func checkMeasures(t *testing.T, s *sandbox) {
	t.Helper()
	for address, ends := range map[string]int{"10.0.0.11": 6, "10.0.0.12": 1} {
		dir := filepath.Join(s.fake, "hosts", address, "var/lib/skep-metrics")
		info, err := os.Stat(dir)
		must(t, err)
		text, err := os.ReadFile(filepath.Join(dir, "certificates.prom"))
		if err != nil && ends > 0 {
			t.Fatal(err)
		}
		got := 0
		for line := range strings.Lines(string(text)) {
			var name string
			var end int64
			if n, _ := fmt.Sscan(line, &name, &end); n == 2 && strings.HasPrefix(name, "skep_certificate_not_after_seconds{") && end > time.Now().Unix() {
				got++
			}
		}
		if info.Mode().Perm() != 0o755 || got != ends {
			t.Errorf("%s: mode %v, %d certificates, want %d:\n%s", address, info.Mode(), got, ends, text)
		}
	}
}

// checkSecrets wants every value in the swarm and on the first manager, and nowhere else.
func checkSecrets(t *testing.T, s *sandbox) {
	t.Helper()
	store := filepath.Join(s.fake, "hosts/10.0.0.11/etc/skep/secrets")
	entries, err := os.ReadDir(store)
	must(t, err)
	values := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(store, e.Name()))
		must(t, err)
		info, err := e.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 || len(b) < 20 {
			t.Errorf("%s: mode %v, %d bytes", e.Name(), info.Mode(), len(b))
		}
		values[e.Name()] = strings.TrimSpace(string(b))
	}
	token, err := os.ReadFile(filepath.Join(s.fake, "swarm/token"))
	must(t, err)
	values["join token"] = "SWMTKN"
	values["current token"] = strings.TrimSpace(string(token))
	if len(values) < 10 {
		t.Errorf("want seven secrets, the clear password and the tokens, got %d", len(values))
	}
	places := s.calls()
	for _, dir := range []string{"state.jsonl", "log.jsonl", "output"} {
		must(t, filepath.WalkDir(filepath.Join(s.bundle+".state", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			places += string(b)
			return err
		}))
	}
	for name, value := range values {
		// A key is many lines; one of its middle lines is as telling.
		lines := strings.Split(value, "\n")
		if strings.Contains(places, lines[len(lines)/2]) {
			t.Errorf("the value of %s is in an argument list, a log or the state", name)
		}
	}
}

// checkChangedBundle: another MANIFEST is another run, and only what changed is done.
func checkChangedBundle(t *testing.T, s *sandbox) {
	t.Helper()
	c := target(t)
	c.Services.Traefik.Dashboard.Revision = 2
	i := slices.IndexFunc(c.Secrets, func(r schema.Secret) bool { return r.Name == "traefik-dashboard" })
	c.Secrets[i].Revision = 2
	s.build(c)
	if r := s.want(0, "status"); !strings.Contains(r.stdout, "PENDING") || strings.Contains(r.stdout, "DONE") {
		t.Errorf("status of a changed bundle:\n%s", r.stdout)
	}
	// What a killed cleanup left, and what is no revision.
	store := filepath.Join(s.fake, "hosts/10.0.0.11/etc/skep/secrets")
	for _, name := range []string{"grafana-admin-r7", "grafana-admin-r7.password", "grafana-admin", "my-grafana-admin-r7"} {
		must(t, os.WriteFile(filepath.Join(store, name), []byte("x"), 0o600))
	}
	before := len(s.calls())
	s.want(0, "run", "--yes")
	for name, want := range map[string]bool{
		"traefik-dashboard-r1": true, "traefik-dashboard-r1.password": true, "traefik-dashboard-r2": true, "traefik-dashboard-r2.password": true,
		"grafana-admin-r1": true, "grafana-admin-r7": false, "grafana-admin-r7.password": false, "grafana-admin": true, "my-grafana-admin-r7": true,
	} {
		if _, err := os.Stat(filepath.Join(store, name)); (err == nil) != want {
			t.Errorf("the value %s is kept: %v, want %v", name, err == nil, want)
		}
	}
	changes := s.changes(before)
	if len(changes) != 2 || !strings.Contains(changes[0], "secret create") || !strings.Contains(changes[1], "deploy --prune") {
		t.Errorf("a raised revision did:\n%s", strings.Join(changes, "\n"))
	}
	must(t, os.WriteFile(filepath.Join(s.bundle, "nfs/skep.exports"), []byte("/ *\n"), 0o644))
	if r := s.want(3, "run"); !strings.Contains(r.stderr, "MANIFEST") {
		t.Errorf("an edited bundle: %s", r.stderr)
	}
	s.build(c)
}

// A run that is killed again and again ends in the same state as one that is not.
func TestLongInterrupted(t *testing.T) {
	s := newSandbox(t, target(t))
	kills := 0
	for at := 4; ; at += 9 {
		s.write("count", "")
		s.write("kill-at", strconv.Itoa(at))
		r := s.run("run", "--yes")
		if r.code == 0 {
			break
		}
		if r.code != -1 {
			t.Fatalf("exit %d after %d kills\n%s\n%s", r.code, kills, r.stdout, r.stderr)
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("only %d kills", kills)
	}
	os.Remove(filepath.Join(s.fake, "kill-at"))
	if r := s.want(0, "run"); strings.Contains(r.stdout, " DONE ") {
		t.Errorf("the run after the last one did something:\n%s", r.stdout)
	}
	checkJSON(t, s.state("state.jsonl"), []string{"time", "run", "bundle", "step", "host", "status", "seconds"})
	nodes, _ := filepath.Glob(filepath.Join(s.fake, "swarm/nodes/*"))
	secrets, _ := filepath.Glob(filepath.Join(s.fake, "swarm/secrets/*"))
	if want := len(target(t).Secrets); len(nodes) != 3 || len(secrets) != want {
		t.Errorf("%d nodes and %d secrets, want 3 and %d", len(nodes), len(secrets), want)
	}
}

// A refusal of any step stops the run before the first change. It names step, host, log and the command to go on with.
func TestFailure(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--to", "preflight")
	taken := filepath.Join(s.fake, "hosts/10.0.0.11/taken")
	must(t, os.WriteFile(taken, []byte("sport = :443"), 0o644))
	before := len(s.calls())
	r := s.want(1, "run", "--yes")
	for _, text := range []string{"m1             FAILED        check refused", "port 443/tcp is taken by apache2"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
		}
	}
	for _, text := range []string{"stopped at step preflight (10) on m1, before anything was changed.", "preflight.m1.log", "runbook.sh run --yes\n"} {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("stderr lacks %q:\n%s", text, r.stderr)
		}
	}
	if changes := s.changes(before); len(changes) > 0 {
		t.Errorf("a refused run changed:\n%s", strings.Join(changes, "\n"))
	}
	if log := s.state("output/preflight.m1.log"); !strings.Contains(log, "apache2") {
		t.Errorf("the log:\n%s", log)
	}
	if r = s.want(1, "status"); !strings.Contains(r.stdout, "m1             FAILED") {
		t.Errorf("status:\n%s", r.stdout)
	}
	must(t, os.Remove(taken))
	s.want(0, "run", "--from", "preflight", "--to", "preflight")
	s.want(0, "status", "--to", "preflight")
}

func TestSelection(t *testing.T) {
	s := newSandbox(t, target(t))
	s.want(0, "run", "--only", "10", "--host", "w2")
	if calls := s.calls(); strings.Contains(calls, " -- 10.0.0.11 ") || !strings.Contains(calls, " -- 10.0.0.13 bash -s") {
		t.Errorf("--host w2 called:\n%s", calls)
	}
	r := s.want(0, "list", "--from", "swarm", "--to", "55-networks", "--skip", "nodes")
	if got := strings.Fields(r.stdout); !slices.Contains(got, "workers") || slices.Contains(got, "nodes") || slices.Contains(got, "secrets") {
		t.Errorf("list:\n%s", r.stdout)
	}
	for _, args := range [][]string{
		{}, {"jump"}, {"run", "--only", "nothing"}, {"run", "--host", "nobody"}, {"run", "--parallel", "0"}, {"run", "--from"},
		{"run", "--loud"}, {"status", "--dry-run"}, {"run", "--transport", "local"}, {"run", "--transport", "smoke"},
	} {
		s.want(2, args...)
	}
}

// Two runs at once: the second refuses.
func TestLock(t *testing.T) {
	s := newSandbox(t, target(t))
	must(t, os.MkdirAll(s.bundle+".state", 0o700))
	f, err := os.OpenFile(filepath.Join(s.bundle+".state", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	must(t, err)
	defer f.Close()
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	if r := s.want(3, "run", "--only", "preflight"); !strings.Contains(r.stderr, "another run") {
		t.Errorf("stderr: %s", r.stderr)
	}
}

// A run that was killed leaves hosts at work, which hold its lock for a while. The next one waits for them, and names no
// process that is dead.
func TestKilledLock(t *testing.T) {
	s := newSandbox(t, target(t))
	must(t, os.MkdirAll(s.bundle+".state", 0o700))
	dead := exec.Command("true")
	must(t, dead.Run())
	f, err := os.OpenFile(filepath.Join(s.bundle+".state", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	must(t, err)
	defer f.Close()
	fmt.Fprintln(f, dead.Process.Pid)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	cmd := exec.Command("bash", filepath.Join(s.bundle, "runbook.sh"), "run", "--only", "operator")
	cmd.Env = []string{"PATH=" + s.path, "FAKE=" + s.fake, "HOME=/nonexistent", "TMPDIR=" + t.TempDir()}
	said, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(said).ReadString('\n')
	must(t, err)
	if line != "runbook: a run that was killed has left hosts at work; waiting for them\n" {
		t.Errorf("it says %q", line)
	}
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
	must(t, cmd.Wait())
}

// list, plan and the dry run need no cluster and no docker, and write nothing.
func TestWithoutCluster(t *testing.T) {
	s := newSandbox(t, target(t))
	bin := t.TempDir()
	for _, tool := range []string{
		"awk", "base64", "bash", "cat", "chmod", "cmp", "cp", "cut", "date", "dirname", "find", "flock", "grep", "gzip", "head", "mkdir", "mktemp", "mv", "openssl",
		"realpath", "rm", "sed", "sha256sum", "sort", "stat", "tail", "tar", "tee", "tr", "wc",
	} {
		must(t, os.Symlink("/usr/bin/"+tool, filepath.Join(bin, tool)))
	}
	must(t, os.WriteFile(filepath.Join(bin, "ssh"), []byte("#!/usr/bin/bash\nexit 255\n"), 0o755))
	s.path = bin
	for code, args := range [][]string{{"list"}, {"run", "--dry-run"}, {"plan"}} {
		code %= 2 // no host answers the dry run
		r := s.want(code, args...)
		if code == 0 && r.stderr != "" {
			t.Errorf("%v: stderr: %s", args, r.stderr)
		}
		for _, step := range []string{"preflight", "firewall", "traefik", "verify"} {
			if !strings.Contains(r.stdout, step) {
				t.Errorf("%v lacks %s:\n%s", args, step, r.stdout)
			}
		}
		r = s.want(code, append(args, "--json")...)
		for line := range strings.Lines(r.stdout) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%v: no JSON: %s", args, line)
			}
		}
		if args[0] == "run" && strings.Count(r.stdout, `"host":"m1","status":"SILENT"`) != 1 {
			t.Errorf("dry run:\n%s", r.stdout)
		}
	}
	if _, err := os.Stat(s.bundle + ".state"); !os.IsNotExist(err) {
		t.Error("a dry run made a state directory")
	}
}

// A dry run of 30 nodes asks each once, after the manager was called, and tells equal answers once.
func TestThirtyNodes(t *testing.T) {
	s := thirtyNodes(t)
	r := s.want(0, "run", "--dry-run")
	if got := strings.Count(s.calls(), "ssh -T"); got != 31 {
		t.Errorf("%d connections, want 31", got)
	}
	if !strings.Contains(r.stdout, "30 hosts") {
		t.Errorf("equal answers are not put together:\n%s", r.stdout)
	}
}

// What is measured is the runbook: the nodes answer at once.
func BenchmarkThirtyNodes(b *testing.B) {
	s := thirtyNodes(b)
	for b.Loop() {
		s.want(0, "run", "--dry-run")
	}
}

// thirtyNodes are the target's, with many more workers.
func thirtyNodes(t testing.TB) *sandbox {
	t.Helper()
	c := target(t)
	for i := len(c.Nodes); i < 30; i++ {
		n := c.Nodes[1]
		n.Name, n.Address = fmt.Sprintf("x%02d", i), netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
		c.Nodes = append(c.Nodes, n)
	}
	s := newSandbox(t, c)
	ssh := filepath.Join(s.fake, "bin/ssh")
	must(t, os.Remove(ssh))
	data, err := filepath.Abs("testdata/answers.sh")
	must(t, err)
	must(t, os.Symlink(data, ssh))
	return s
}
