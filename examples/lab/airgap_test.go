package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAirGap brings a cluster to machines that have no way out and a DNS that never answers: bare Debian, one signed file. What
// is outside has a registry and a mirror of Debian; what is inside has the file alone.
func TestAirGap(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a site without a network takes some minutes; go test -run TestAirGap without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try a site without a network")
	}
	g := outsideOf(t)
	g.image = "1.0"
	g.spec(t)
	g.shell(t, `"$SKEP" build cluster.yaml -o bundle`)
	g.l.raise(t, filepath.Join(g.outside, "bundle"))
	g.carry(t, 1)
	g.l.bundle = g.unpack(t, 1)
	_ = g.l.part(t, "shut in", g.shutIn) &&
		g.l.part(t, "first", g.first) &&
		g.l.part(t, "update", g.update) &&
		g.l.part(t, "rollback", g.rollback)
}

// gap is both sides of it.
type gap struct {
	l        *lab
	registry *registry
	outside  string // the directory of whoever is connected: spec, bundle, what was fetched, archives, key
	inside   string // the directory of the site: what was carried in, whom it trusts, the state of its runbook
	image    string // version of the application
}

// deadDNS is a resolver that nobody answers for; its packets are dropped.
const deadDNS = "192.0.2.53"

func outsideOf(t *testing.T) *gap {
	t.Helper()
	need(t, map[string]string{"apt-get": "apt", "nft": "nftables", "skopeo": "skopeo", "ssh-keygen": "openssh-client"})
	l := prepared(t)
	l.told = append(l.told, "--bare")
	l.compile(t)
	g := &gap{l: l, outside: t.TempDir(), inside: t.TempDir(), registry: newRegistry(t, l)}
	for _, version := range []string{"1.0", "1.1"} {
		g.registry.image(t, "shop/web:"+version)
	}
	containers := filepath.Join(g.outside, ".config/containers")
	if err := os.MkdirAll(containers, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(containers, "registries.conf"), fmt.Sprintf("[[registry]]\nprefix = \"registry.example.org\"\nlocation = %q\ninsecure = true\n", g.registry.host))
	write(t, filepath.Join(containers, "policy.json"), `{"default": [{"type": "insecureAcceptAnything"}]}`)
	g.shell(t, `ssh-keygen -q -t ed25519 -N '' -C '' -f key && printf 'ops@example.org namespaces="skep-archive" %s\n' "$(cat key.pub)" >"$INSIDE/signers"`)
	return g
}

// shell runs a script outside, with the command skep.
func (g *gap) shell(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = g.outside
	cmd.Env = append(os.Environ(), "HOME="+g.outside, "SKEP="+g.l.skep, "INSIDE="+g.inside)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	t.Logf("%s: %v\n%s", script, time.Since(began).Round(time.Second), out)
	return string(out)
}

// mirrors are the options of packages/fetch.sh that name the mirrors which this machine itself has.
func mirrors(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		t.Fatal(err)
	}
	options := ""
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) != 3 || f[2] != "main":
		case f[1] == "bookworm" || f[1] == "trixie":
			options += " --mirror " + f[0]
		case f[1] == "bookworm-security" || f[1] == "trixie-security":
			options += " --security-mirror " + f[0]
		}
	}
	return options
}

// spec writes the spec.
func (g *gap) spec(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(g.outside, "cluster.yaml"), fmt.Sprintf(`name: lab
kind: swarm
domain: lab.example.org
nodes:
  m1: {address: 10.77.0.11, role: manager, platform: {release: %[1]s}}
  w1: {address: 10.77.0.12, platform: {release: %[1]s}}
access: {management: [10.78.1.0/24], users: [10.78.3.0/24]}
images: {delivery: load}
stacks: {shop: {compose: [shop.yaml], exposures: {web: {from: [users]}}}}
`, *suite))
	write(t, filepath.Join(g.outside, "shop.yaml"), `services:
  web:
    image: registry.example.org/shop/web:`+g.image+`
    ports: [{mode: host, target: 8000, published: 7800}]
    deploy: {mode: global, endpoint_mode: dnsrr}
`)
}

// carry locks, builds, fetches and packs as the README says, and takes the file inside.
func (g *gap) carry(t *testing.T, serial int) {
	t.Helper()
	since := ""
	if serial > 1 {
		since = fmt.Sprintf(" --since lab-%d.tar", serial-1)
	}
	g.shell(t, `"$SKEP" images cluster.yaml | bundle/images/lock.sh images.lock - && "$SKEP" build cluster.yaml -o bundle`)
	g.shell(t, "bundle/images/fetch.sh carried/images")
	g.shell(t, "bundle/packages/fetch.sh"+mirrors(t)+" carried/packages")
	g.shell(t, fmt.Sprintf(`"$SKEP" archive cluster.yaml --serial %d --images carried/images --packages carried/packages --sign key%s -o lab-%[1]d.tar && cp lab-%[1]d.tar "$INSIDE"`, serial, since))
}

// unpack proves an archive inside, with what was brought another way, and returns the directory of its bundle.
func (g *gap) unpack(t *testing.T, serial int) string {
	t.Helper()
	base := ""
	if serial > 1 {
		base = fmt.Sprintf(" --base %d/lab", serial-1)
	}
	verify, err := filepath.Abs("../../generators/archive/verify.sh")
	if err != nil {
		t.Fatal(err)
	}
	g.shell(t, fmt.Sprintf(`cd "$INSIDE" && mkdir %d && tar xf lab-%[1]d.tar -C %[1]d && bash %s%s %[1]d/lab signers`, serial, verify, base))
	return filepath.Join(g.inside, fmt.Sprint(serial), "lab/bundle")
}

// shutIn leaves the nodes no way out and a DNS that is silent, and has whatever leaves their wire for elsewhere noted.
func (g *gap) shutIn(t *testing.T, l *lab) {
	for _, node := range l.nodes(t) {
		l.on(t, node, "echo nameserver "+deadDNS+" >/etc/resolv.conf")
		for _, tool := range []string{"docker", "nft", "iptables", "curl", "openssl"} {
			if out, err := l.try(node, "command -v "+tool); err == nil {
				t.Errorf("%s is not bare: it has %s", node, out)
			}
		}
	}
	g.router(t, "ip route add blackhole "+deadDNS+"/32")
	g.router(t, `nft 'table inet lab {
		set asked { typeof ip daddr . meta l4proto . th dport; flags dynamic; size 1000; }
		chain watch {
			type filter hook prerouting priority -300
			iifname "wire" ip daddr != {10.77.0.0/24, 10.78.0.0/16} add @asked { ip daddr . meta l4proto . th dport }
		}
	}'`)
	// What is noted is seen: a question that nobody answers.
	began := time.Now()
	if out, err := l.try("m1", "timeout 4 getent hosts registry.example.org"); err == nil || time.Since(began) < 3*time.Second {
		t.Errorf("DNS answers, or refuses: %s", out)
	}
	if asked := g.asked(t); !strings.Contains(asked, deadDNS+" . udp . 53") {
		t.Fatalf("a question of DNS was not noted: %s", asked)
	}
	g.router(t, "nft flush set inet lab asked")
}

// router runs a command where the packets of all nodes come by.
func (g *gap) router(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", "skep-router", "sh", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("router: %s: %v\n%s", script, err, out)
	}
	return string(out)
}

// asked returns whom the nodes asked that is not of the lab.
func (g *gap) asked(t *testing.T) string {
	t.Helper()
	_, elements, _ := strings.Cut(g.router(t, "nft list set inet lab asked"), "elements = {")
	return strings.TrimSpace(elements)
}

// run runs the runbook of an unpacked archive, as the README says.
func (g *gap) run(t *testing.T, args ...string) outcome {
	t.Helper()
	line := append([]string{"zone", "management", filepath.Join(g.l.bundle, "runbook.sh"), "run", "--yes", "--ssh-config", g.l.config, "--state", filepath.Join(g.inside, "state")}, args...)
	o := g.l.finish(t, g.l.command(line...))
	o.want(t, 0)
	return o
}

// runs wants the application to answer on all nodes, to be the image that was carried in, and nobody to have asked for it.
func (g *gap) runs(t *testing.T, version string) {
	t.Helper()
	for _, node := range g.l.nodes(t) {
		want := "# stand-in for shop/web:" + version + ":"
		out, err := g.l.command("zone", "users", "curl", "--silent", "--show-error", "--max-time", "5", "--retry", "5", "--retry-connrefused", "http://"+g.l.address(t, node)+":7800/").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s answers %q, %v; want %q", node, out, err, want)
		}
		if left := g.l.on(t, node, "ls -d /var/cache/skep-packages /etc/apt/sources.list.d/* 2>/dev/null || true"); left != "" {
			t.Errorf("%s: left: %s", node, left)
		}
	}
	if asked := g.asked(t); asked != "" {
		t.Errorf("the nodes asked %s", asked)
	}
}

func (g *gap) first(t *testing.T, l *lab) {
	began := time.Now()
	o := g.run(t)
	t.Logf("bare Debian (%s) to a running application: %v\n%s", *suite, time.Since(began).Round(time.Second), o.text)
	g.runs(t, "1.0")
	if o := g.run(t); strings.Contains(o.text, " DONE ") {
		t.Errorf("the second run did something:\n%s", o.text)
	}
	t.Log(l.on(t, "m1", "docker version --format '{{.Server.Version}}'; docker image ls --no-trunc; docker service ps --no-trunc shop_web"))
}

// update carries a delta in: one other image.
func (g *gap) update(t *testing.T, l *lab) {
	g.image = "1.1"
	g.spec(t)
	g.carry(t, 2)
	l.bundle = g.unpack(t, 2)
	o := g.run(t)
	if strings.Contains(o.text, "carrying ") {
		t.Errorf("packages were carried again:\n%s", o.text)
	}
	g.runs(t, "1.1")
}

// rollback goes back to the archive before, which has to be said.
func (g *gap) rollback(t *testing.T, l *lab) {
	verify := filepath.Join(g.inside, "2/lab/verify.sh")
	if out, err := exec.Command("bash", verify, filepath.Join(g.inside, "1/lab"), filepath.Join(g.inside, "signers")).CombinedOutput(); err == nil || !strings.Contains(string(out), "--allow-older") {
		t.Errorf("an older archive: %v: %s", err, out)
	}
	g.shell(t, `"$INSIDE/2/lab/verify.sh" --allow-older "$INSIDE/1/lab" "$INSIDE/signers"`)
	l.bundle = filepath.Join(g.inside, "1/lab/bundle")
	g.run(t)
	g.runs(t, "1.0")
}
