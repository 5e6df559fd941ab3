package lab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// living is an edit of the spec of a cluster that is in use.
type living struct {
	name     string
	edits    []edit
	before   func(*testing.T, *lab)
	code     int      // of the run, and of the dry run
	says     []string // by the dry run, and by the run
	replaced string   // a pattern of what may be another one afterwards, as held calls it; all else has to be the same one
	moments  []int    // ports that may be refused meanwhile
	after    func(*testing.T, *lab)
}

const beforeAccess = "\taccess: {"

// otherExports is what other nodes make anew. Where this machine's kernel serves no NFS, the lab's server, which runs as a
// program, starts anew for other exports.
const otherExports = "^(monitoring_(prometheus|cadvisor|node-exporter)|nfs-server m1)$"

// edits are run in order, each on what the one before it has left.
var edits = []living{
	{name: "a setting of a service", edits: []edit{{"certificate: selfSigned: {}", "certificate: selfSigned: {}\n\t\t\tlog: \"WARN\""}},
		says: []string{"would deploy the stack traefik again"}, replaced: "^traefik_", moments: []int{80, 443, 8080, 9000}},
	{name: "a new revision of a secret", edits: []edit{{"\t\ts3: {}", "\t\ts3: revision: 2"}},
		says: []string{"would make the secret s3-access-key-r2"}, replaced: "^(s3_|secret s3-|m1 /etc/skep/secrets/s3-)", moments: []int{9000}},
	{name: "a closed range of ports", edits: []edit{{beforeAccess, "\tapplications: hostMode: false\n" + beforeAccess}},
		says: []string{"would install /etc/skep/firewall.nft", "would install /etc/sysctl.d/90-skep.conf"}, moments: []int{32768}},
	{name: "an open port", edits: []edit{{beforeAccess, "\texposures: syslog: {proto: \"tcp\", port: 5514, on: [\"all\"], from: [\"users\"], why: \"logs of routers\"}\n" + beforeAccess}},
		says: []string{"would install /etc/skep/firewall.nft"}},
	{name: "another backend of the firewall", edits: []edit{{beforeAccess, "\tfirewall: backend: \"iptables\"\n" + beforeAccess}},
		says: []string{"would install /etc/skep/firewall.v4.rules"}, after: oneBackend("iptables-save -t mangle | grep -c SKEP", "nft list table inet skep")},
	{name: "the first backend again", edits: []edit{{"\tfirewall: backend: \"iptables\"\n", ""}},
		says: []string{"would install /etc/skep/firewall.nft"}, after: oneBackend("nft list table inet skep", "iptables-save -t mangle | grep -c SKEP")},
	{name: "another data port", edits: []edit{{beforeAccess, "\tengine: dataPathPort: 4790\n" + beforeAccess}}, code: 1,
		says: []string{"the swarm's data port is 4789, the spec wants 4790"}},
	{name: "the data port as it was", edits: []edit{{"\tengine: dataPathPort: 4790\n", ""}}},
	{name: "a label of a node", edits: []edit{{`labels: disk: "ssd"`, `labels: disk: "nvme"`}}, says: []string{"would update w1 --label-add disk=nvme"}},
	{name: "a setting of the engine", edits: []edit{{beforeAccess, "\tengine: logs: size: \"20m\"\n" + beforeAccess}},
		says: []string{"the Docker engine"}, replaced: `^(.*_|docker |containerd |\w+ /etc/docker/daemon.json)`, moments: []int{80, 443, 2376, 2377, 7946, 8080, 9000, 9100, 9323}},
	{name: "a worker that is not in the spec", edits: []edit{{"\t\tw2: {address: \"10.77.0.13\"}\n", ""}},
		says: []string{"w2 is a worker of this swarm and is not in the spec"}, replaced: otherExports, moments: []int{2049, 2377, 7946, 9100, 9323}},
	{name: "the worker again", edits: []edit{{"\n\t}\n\n\t// The neighbour", "\n\t\tw2: {address: \"10.77.0.13\"}\n\t}\n\n\t// The neighbour"}},
		replaced: otherExports, moments: []int{2049, 2377, 7946, 9100, 9323}},
	{name: "a worker becomes a manager", edits: []edit{{`w1: {address: "10.77.0.12",`, `w1: {address: "10.77.0.12", role: "manager",`}},
		says: []string{"would promote w1"}, replaced: `^(traefik_|monitoring_prometheus$|docker w1|w1 /etc/|state |.*_.*$)`, moments: []int{80, 443, 8080, 9000, 9100, 9323, 7946}},
	{name: "another name of the public network", edits: []edit{{beforeAccess, "\tnetwork: public: name: \"front\"\n" + beforeAccess}}, before: application,
		says: []string{"would create the network front", "traefik-public"}, replaced: `^(traefik_|monitoring_|network front$|s3_|secret s3-|\w+ /etc/skep/secrets/s3-)`, moments: []int{80, 443, 8080, 9000}, after: applicationAnswers},
	{name: "monitoring goes", edits: []edit{{monitoring, ""}}, before: applicationGoes,
		says: []string{"would remove the stack monitoring"}, replaced: `^(monitoring_|traefik_|network |secret grafana|secret alert|m1 /etc/skep/secrets|\w+ /etc/docker/daemon.json|w1 /etc/skep/secrets)`, moments: []int{80, 443, 8080, 9000, 9100, 9323}},
}

// TestEdits edits the spec of a cluster that is in use. Of each edit the dry run has to tell what the run will do; what
// happened is compared with what was held before, down to tasks and processes; and visitors use every port all the while.
func TestEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the edits take a quarter of an hour; go test -run TestEdits without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try the edits")
	}
	l := newLab(t)
	if !l.part(t, "deploy", deploy) {
		return
	}
	left := false
	for _, e := range edits {
		made := false
		ok := l.part(t, e.name, func(t *testing.T, l *lab) {
			if left {
				l.run(t)
				left = false
			}
			e.make(t, l)
			made = true
		})
		switch {
		case !ok && !made:
			return // the next edit begins with what this one leaves
		case !made: // -run leaves it out
			l.build(t, e.edits...)
			left = true
		}
	}
}

// make edits the spec and has the runbook do it.
func (e living) make(t *testing.T, l *lab) {
	if e.before != nil {
		e.before(t, l)
	}
	used, old := l.used(t, l.matrix(t)), l.kept(t)
	l.build(t, e.edits...)
	plan := l.plan(t, old)
	crowd := l.crowd(t, both(used, l.used(t, l.matrix(t))), 100*time.Millisecond)
	before := l.held(t)
	forecast := l.runbook(t, "run", "--dry-run", "--json")
	forecast.want(t, e.code)
	for _, text := range e.says {
		if !strings.Contains(forecast.text, text) {
			t.Errorf("the dry run does not say %q:\n%s", text, forecast.text)
		}
	}
	told, unknown := outlook(forecast.text)
	began := time.Now()
	o := l.runbook(t, "run", "--yes")
	o.want(t, e.code)
	took := time.Since(began).Round(time.Second)
	crowd.end(t, e.moments)
	done := l.done(t)
	switch {
	case e.code != 0 && len(done) > 0:
		t.Errorf("a refused run did %q", done)
	case e.code == 0 && !follows(done, told, unknown):
		t.Errorf("the dry run told of %q, could not know of %q, and the run did %q", told, unknown, done)
	}
	l.whole(t)
	after := l.held(t)
	happened := differences(before, after)
	if e.code == 0 {
		plan.compare(t, before, after)
		plan.covers(t, done)
	}
	for _, difference := range happened {
		name, _, _ := strings.Cut(difference, ":")
		if e.replaced == "" || !regexp.MustCompile(e.replaced).MatchString(name) {
			t.Errorf("it changed %s", difference)
		}
	}
	if again := slices.ContainsFunc(happened, func(d string) bool { return strings.HasPrefix(d, "docker ") }); again && !strings.Contains(forecast.text, "restart the Docker engine") {
		t.Error("an engine started anew, and the dry run did not say so")
	}
	if e.after != nil {
		e.after(t, l)
	}
	t.Logf("%v, did %q, made new %d things; visitors: %s", took, done, len(happened), crowd.worst())
	if e.code == 0 {
		l.run(t)
		if again := l.done(t); len(again) > 0 {
			t.Errorf("a second run did %q", again)
		}
		l.runbook(t, "verify").want(t, 0)
	}
}

// outlook returns "step host" of what a dry run says is to be done, and of what it cannot know before other steps are done.
func outlook(text string) (told, unknown []string) {
	for text := range strings.Lines(text) {
		var line struct{ Step, Host, Status string }
		if json.Unmarshal([]byte(text), &line) != nil {
			continue
		}
		switch line.Status {
		case "PENDING":
			told = append(told, line.Step+" "+line.Host)
		case "UNKNOWN", "OPEN":
			unknown = append(unknown, line.Step+" "+line.Host)
		}
	}
	slices.Sort(told)
	return told, unknown
}

// followers are the steps that look at what the others left; behind an engine that starts anew also those that wait for the
// stacks.
func followers(steps []string) *regexp.Regexp {
	pattern := `^(verify|certificate-watch|last-copies|copies|buckets|cleanup|nfs-clients) `
	if slices.ContainsFunc(steps, func(step string) bool { return strings.HasPrefix(step, "engine ") }) {
		pattern += "|^(traefik|monitoring|s3) "
	}
	return regexp.MustCompile(pattern)
}

// follows says whether a run did what was told, and beyond it only what nobody could know before. The last steps may differ:
// they look at what the others left.
func follows(done, told, unknown []string) bool {
	follow := followers(told)
	for _, step := range done {
		if !slices.Contains(told, step) && !slices.Contains(unknown, step) && !follow.MatchString(step) {
			return false
		}
	}
	for _, step := range told {
		if !slices.Contains(done, step) && !follow.MatchString(step) {
			return false
		}
	}
	return true
}

// both leaves what may be used before an edit and after it: a worker that becomes a manager has ports where nobody listened.
func both(before, after []probe) []probe {
	return slices.DeleteFunc(after, func(a probe) bool {
		return !slices.ContainsFunc(before, func(b probe) bool { return b.from == a.from && b.to == a.to && b.port == a.port })
	})
}

// oneBackend wants each node to have one set of rules and not the other.
func oneBackend(there, gone string) func(*testing.T, *lab) {
	return func(t *testing.T, l *lab) {
		for _, node := range l.nodes(t) {
			if out, err := l.try(node, there); err != nil {
				t.Errorf("%s: %s: %v: %s", node, there, err, out)
			}
			if out, err := l.try(node, gone); err == nil {
				t.Errorf("%s still has rules of the other backend: %s", node, out)
			}
			l.on(t, node, "skep-firewall status")
		}
	}
}

// application is a service of somebody else on the public network, by its old name.
func application(t *testing.T, l *lab) {
	image := strings.Fields(l.on(t, "m1", "docker image ls --format '{{.Repository}}:{{.Tag}}' ghcr.io/google/cadvisor"))[0]
	l.on(t, "m1", "docker service create --detach --quiet --name app --network traefik-public --endpoint-mode dnsrr --no-resolve-image "+
		"--constraint node.role==worker --entrypoint '/bin/standin tenant :8000' --label traefik.enable=true "+
		"--label traefik.http.services.app.loadbalancer.server.port=8000 --label traefik.http.routers.app.entrypoints=websecure "+
		"--label 'traefik.http.routers.app.rule=Host(`app.lab.example.org`)' --label traefik.http.routers.app.tls=true "+image)
	applicationAnswers(t, l)
}

// applicationAnswers wants visitors to see it.
func applicationAnswers(t *testing.T, l *lab) {
	users := browser("users", l.address(t, "m1"), nil)
	users.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true // its name is in no certificate
	eventually(t, time.Minute, func() error {
		if code, _, text := page(t, users, "https://app.lab.example.org/", ""); code != http.StatusOK || !strings.Contains(text, tenant) {
			return fmt.Errorf("the application's page: %d %.200s", code, text)
		}
		return nil
	})
}

// applicationGoes: with the last one that used the old network the next run takes that away.
func applicationGoes(t *testing.T, l *lab) {
	l.on(t, "m1", "docker service rm app >/dev/null")
	l.run(t)
	if out := l.on(t, "m1", "docker network ls --format '{{.Name}}'"); strings.Contains(out, "traefik-public") {
		t.Errorf("the old network is still there:\n%s", out)
	}
}
