// Package lab proves a bundle on real machines: three Debian nodes with systemd, sshd, dockerd and nft, and the zones
// around them. See the script lab, which raises them.
//
//	go test -C examples/lab -v -timeout 80m . [-short] [-light] [-suite trixie] [-engine 29] [-kill all] [-upload 10m]
//	go test -C examples/lab -v -timeout 170m . -vm
package lab

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	suite  = flag.String("suite", "bookworm", "the Debian of the nodes: bookworm or trixie")
	engine = flag.String("engine", "", "another engine than Debian's for the nodes: 29, which is built")
	kills  = flag.String("kill", "some", "where the runbook is killed: all steps, or some")
	long   = flag.Duration("upload", 70*time.Second, "how long the slow upload takes; Traefik's own default would end it after a minute")
	keep   = flag.Bool("keep", false, "use the lab that is up, and leave it up")
	vm     = flag.Bool("vm", false, "run the test in a virtual machine with a full kernel; slow")

	// What the test in the virtual machine is told.
	kernel   = flag.String("kernel", "lean", "what this machine's kernel has: lean, or full: IPVS, NFS and ESP, too")
	patience = flag.Int("patience", 1, "how many times longer to wait")
	light    = flag.Bool("light", false, "of the services leave only NFS in the spec: stacks, and making their images, are most of the work")
	command  = flag.String("skep", "", "the command skep; without it, it is built from this checkout")
)

// TestLab goes through the life of one cluster: built, looked at from every zone, built again, broken, changed, taken
// back, and built once more by a runbook that is killed again and again.
func TestLab(t *testing.T) {
	if *vm {
		inMachine(t)
		return
	}
	l := newLab(t)
	if !l.part(t, "deploy", deploy) || !l.part(t, "swarm", swarm) {
		return
	}
	if testing.Short() {
		_ = l.part(t, "storage", storage) && l.part(t, "reboot", restart) && l.part(t, "second run", secondRun) && l.part(t, "undo", undo)
		return
	}
	l.part(t, "firewall", firewall)
	l.part(t, "arrivals", arrivals)
	l.part(t, "containers", containers)
	l.part(t, "api", api)
	l.part(t, "pages", pages)
	l.part(t, "targets", targets)
	l.part(t, "measures", measures)
	l.part(t, "labels", labels)
	if *kernel == "full" {
		l.part(t, "routing", routing)
		l.part(t, "encryption", encryption)
	}
	l.part(t, "storage", storage)
	l.part(t, "journal", journal)
	l.part(t, "silence", silences)
	// What follows needs what came before.
	_ = l.part(t, "reboot", reboot) &&
		l.part(t, "boot without rules", brokenRules) &&
		l.part(t, "second run", secondRun) &&
		l.part(t, "failures", failures) &&
		l.part(t, "lock-out", lockOut) &&
		l.part(t, "change", change) &&
		(*kernel == "full" || l.part(t, "access", access)) &&
		l.part(t, "undo", undo) &&
		l.part(t, "kill", kill)
}

// part runs one part of the test; when it fails, what the machines have to say is printed.
func (l *lab) part(t *testing.T, name string, f func(*testing.T, *lab)) bool {
	return t.Run(name, func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				l.logs(t)
			}
		})
		f(t, l)
	})
}

// lab is what the parts share: where the machines and the bundle are, and the spec as it now stands.
type lab struct {
	script string   // the command lab
	told   []string // of the nodes' engines, by each verb
	skep   string   // the command skep, built from this checkout
	bundle string
	config string // of ssh
	images string // archives
	temp   string // for temporary files of the scripts
	spec   string // text of the spec that bundle was built from
	keys   string // the file beside it with the public keys of a mesh, or empty

	files map[string]string // other files beside it, by path
	first string            // what the cluster was after the first run
}

// need fails the test when this machine lacks root or a package of Debian. The packages stand behind a command of theirs.
func need(t *testing.T, packages map[string]string) {
	t.Helper()
	var lacks []string
	if os.Geteuid() != 0 {
		lacks = append(lacks, "root")
	}
	for tool, pkg := range packages {
		if _, err := exec.LookPath(tool); err != nil {
			lacks = append(lacks, "the package "+pkg)
		}
	}
	if len(lacks) == 0 {
		return
	}
	slices.Sort(lacks)
	t.Fatal("not proven: the lab lacks " + strings.Join(lacks, ", "))
}

// newLab raises the machines of the lab's own spec, or of another, or says what this one lacks.
func newLab(t *testing.T, spec ...string) *lab {
	t.Helper()
	l := prepared(t)
	l.raise(t, spec...)
	return l
}

// prepared returns a lab whose machines are still down.
func prepared(t *testing.T) *lab {
	t.Helper()
	packages := map[string]string{
		"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap", "ip": "iproute2", "ssh": "openssh-client",
		"jq": "jq", "curl": "curl", "openssl": "openssl", "diff": "diffutils", "openvpn": "openvpn",
	}
	if *kernel == "full" {
		delete(packages, "debootstrap") // the virtual machine comes with the base system
		delete(packages, "openvpn")     // and the part access is none of its business
		packages["tcpdump"] = "tcpdump"
	}
	need(t, packages)
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{script: filepath.Join(here, "lab"), skep: filepath.Join(dir, "skep"), bundle: filepath.Join(dir, "bundle")}
	// What a killed runbook leaves is removed with it. The path is short: sockets of ssh are in there.
	if l.temp, err = os.MkdirTemp("", "lab"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(l.temp) })
	if *engine != "" {
		l.told = []string{"--engine", *engine}
	}
	l.spec = read(t, "cluster.cue")
	if *kernel == "full" {
		l.spec = strings.Replace(l.spec, "\taccess: {", "\tnetwork: public: encrypted: true\n\taccess: {", 1)
	}
	if *light {
		from, to := strings.Index(l.spec, "\tservices: {\n"), strings.Index(l.spec, "\t\tnfs: {")
		l.spec = l.spec[:from] + "\tservices: {\n" + strings.Replace(l.spec[to:], "\t\ts3: {}\n", "", 1)
	}
	l.config = strings.TrimSpace(l.do(t, "config"))
	return l
}

// raise boots the machines of the lab's own spec, or of another, and takes them down when the test ends.
func (l *lab) raise(t *testing.T, spec ...string) {
	t.Helper()
	if *keep {
		// What a part of the test left behind, another may begin with: -run 'TestLab/(deploy|firewall)'.
		l.bundle = filepath.Join(filepath.Dir(filepath.Dir(l.config)), "test", "bundle")
	} else {
		if err := exec.Command(l.script, "status").Run(); err == nil {
			t.Fatal("a lab is up already: lab down, or -args -keep to use it")
		}
		t.Cleanup(func() { l.do(t, "down") })
		l.do(t, "down")
	}
	t.Log(lastLine(l.do(t, append([]string{"up"}, spec...)...)))
}

// do runs a verb of the command lab, which must succeed, and returns what it printed.
func (l *lab) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := l.command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (l *lab) command(args ...string) *exec.Cmd {
	cmd := exec.Command(l.script, slices.Concat([]string{"--suite", *suite, "--patience", strconv.Itoa(*patience)}, l.told, args)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+l.temp)
	return cmd
}

// on runs a shell command as root on a node, over ssh, and returns its output without the last newline.
func (l *lab) on(t *testing.T, node, script string) string {
	t.Helper()
	out, err := l.try(node, script)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", node, script, err, out)
	}
	return out
}

func (l *lab) try(node, script string) (string, error) {
	out, err := l.command("ssh", node, script).CombinedOutput()
	return strings.TrimSuffix(string(out), "\n"), err
}

// build compiles the spec into the bundle, after the edits.
func (l *lab) build(t *testing.T, edits ...edit) {
	t.Helper()
	for _, e := range edits {
		if !strings.Contains(l.spec, e.from) {
			t.Fatalf("the spec has no %q", e.from)
		}
		l.spec = strings.Replace(l.spec, e.from, e.to, 1)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cluster.cue"), l.spec)
	if l.keys != "" {
		write(t, filepath.Join(dir, "mesh.cue"), l.keys)
	}
	for name, text := range l.files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), text)
	}
	if out, err := exec.Command(l.skep, "build", dir, "-o", l.bundle).CombinedOutput(); err != nil {
		t.Fatalf("skep build: %v\n%s", err, out)
	}
}

// edit is a change of the spec.
type edit struct{ from, to string }

// dir is where the command lab keeps what it has.
func (l *lab) dir() string { return filepath.Dir(filepath.Dir(l.config)) }

// nodes returns the names in the bundle's inventory, in its order.
func (l *lab) nodes(t *testing.T) []string {
	t.Helper()
	return nodesOf(t, l.bundle)
}

func nodesOf(t *testing.T, bundle string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(read(t, filepath.Join(bundle, "runbook/hosts"))) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.Fields(line)[0])
		}
	}
	return out
}

// host returns what the bundle's inventory says of a node: its name, address, address for ssh, role, and more.
func (l *lab) host(t *testing.T, node string) []string {
	t.Helper()
	for line := range strings.Lines(read(t, filepath.Join(l.bundle, "runbook/hosts"))) {
		if f := strings.Fields(line); f[0] == node {
			return f
		}
	}
	t.Fatalf("%s is not in the bundle", node)
	return nil
}

// address returns the address of a node.
func (l *lab) address(t *testing.T, node string) string { return l.host(t, node)[1] }

// underlay returns the address of a node on the link.
func (l *lab) underlay(t *testing.T, node string) string { return l.host(t, node)[2] }

func (l *lab) role(t *testing.T, node string) string { return l.host(t, node)[3] }

// logs prints what the machines know about a failure.
func (l *lab) logs(t *testing.T) {
	t.Helper()
	for _, node := range []string{"m1", "w1", "w2", "w3"} {
		out, err := l.try(node, "journalctl --no-pager --quiet --lines 80 -u docker -u skep-firewall -u skep-mesh -u skep-vpn -u nfs-server | grep -vE 'nameserver|registry|ipv4.vs|vlan'; journalctl --no-pager --quiet --lines 9 -u ssh; skep-firewall status")
		t.Logf("%s: %v\n%s", node, err, out)
	}
	out, _ := l.try("m1", `docker node ls; docker service ls; docker service ps --no-trunc $(docker service ls -q) | head -n 60`)
	t.Logf("m1:\n%s", out)
	log, _ := os.ReadFile(filepath.Join(l.bundle+".state", "log.jsonl"))
	lines := strings.Split(string(log), "\n")
	t.Logf("the runbook's log:\n%s", strings.Join(lines[max(0, len(lines)-25):], "\n"))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// sorted returns the words of a text in order.
func sorted(text string) []string {
	words := strings.Fields(text)
	slices.Sort(words)
	return words
}
