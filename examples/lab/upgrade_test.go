package lab

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// replacement is something that a takeover makes new.
type replacement struct {
	what  string // as held calls it
	ports []int  // refused meanwhile
	why   string
}

// changes are what a takeover may replace or interrupt, and the line of CHANGELOG.md that says so.
var changes = []replacement{
	{"traefik_traefik", []int{80, 443, 8080, 9000}, "Traefik's files change, so its task restarts once on each of its nodes."},
	{"s3_s3", nil, "S3 (versitygw) has a user of its own"},
	{"secret s3-user-key-r1", nil, "with a new secret `s3-user-key`"},
	{"m1 /etc/skep/secrets/s3-user-key-r1", nil, "with a new secret `s3-user-key`"},
	{"monitoring_prometheus", nil, "Prometheus's rules are new, so its task restarts once."},
	{"monitoring_node-exporter", nil, "node-exporter works in the network of each node, so its tasks restart once"},
	{"monitoring_grafana", nil, "Grafana encrypts with a key of its own"},
	{"secret grafana-secret-key-r1", nil, "the new secret `grafana-secret-key`"},
	{"m1 /etc/skep/secrets/grafana-secret-key-r1", nil, "the new secret `grafana-secret-key`"},
}

// stays is what undo leaves of files, and why.
var stays = regexp.MustCompile(strings.Join([]string{
	"^/etc/docker/tls/",   // the certificates stay: clients have been handed theirs
	"^/etc/skep/secrets/", // values that exist nowhere else
	"^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$", // users of packages
	"^/etc/docker/key.json$",                               // the engine's own
	"^/etc/nfs(mount)?.conf$",                              // of the packages
	"(^|/)nfs-server.service$",                             // stopped and disabled: the previous runbook noted nowhere that it had been on
}, "|"))

// TestUpgrade builds a cluster with the bundle that the previous skep made, testdata/before, and its own runbook. Then this
// skep's bundle of the same spec takes it over while clients from everywhere go on.
func TestUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the upgrade takes some minutes; go test -run TestUpgrade without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try the upgrade")
	}
	l := newLab(t)
	l.compile(t)
	l.spec = read(t, "testdata/before.cue")
	bare := map[string]string{}
	for _, node := range nodesOf(t, "testdata/before") {
		bare[node] = l.bare(t, node)
	}
	_ = l.part(t, "previous", previous) &&
		l.part(t, "reboot on trial", rebootOnTrial) &&
		l.part(t, "takeover", takeover) &&
		l.part(t, "second run", secondRun) &&
		l.part(t, "firewall", firewall) &&
		l.part(t, "arrivals", arrivals) &&
		l.part(t, "undo", func(t *testing.T, l *lab) { undoAll(t, l, bare) })
}

// previous builds the cluster as it was.
func previous(t *testing.T, l *lab) {
	if out, err := exec.Command("cp", "-r", "testdata/before", l.bundle).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.images = lastLine(l.do(t, "images", l.bundle))
	l.run(t)
	l.whole(t)
}

// rebootOnTrial has the new runbook killed, and the plug of the node pulled, between the node's new scripts and the first
// confirmation of its rules. The node comes back with the rules that it had, and with its engine.
func rebootOnTrial(t *testing.T, l *lab) {
	promised := l.matrix(t)
	l.build(t)
	script := read(t, filepath.Join(l.bundle, "firewall/skep-firewall.sh"))
	var node string
	if code := l.ended(t, syscall.SIGKILL, func(string) bool {
		for _, name := range l.nodes(t) {
			got, err := os.ReadFile(filepath.Join(l.dir(), "nodes", name, "upper/usr/local/sbin/skep-firewall"))
			if err == nil && string(got) == script {
				node = name
				return true
			}
		}
		return false
	}); code != -1 {
		t.Fatalf("the runbook ended with %d before a node had its new scripts", code)
	}
	l.do(t, "stop", node)
	l.do(t, "start", node)
	l.ready(t, node)
	status, err := l.try(node, "skep-firewall status")
	t.Logf("%s after its reboot: %v\n%s", node, err, status)
	var probes []probe
	for _, p := range l.probes(t, "tcp", ports(promised)) {
		if p.to == node {
			probes = append(probes, p)
		}
	}
	l.send(t, promised, probes, passes)
	l.whole(t)
}

// takeover runs the new runbook to its end. Clients in every zone and on every node try every port that was open before, all the while.
func takeover(t *testing.T, l *lab) {
	before := l.held(t)
	crowd := l.visitors(t, promises(t, "testdata/before"))
	began := time.Now()
	l.run(t)
	var moments []int
	told := read(t, "../../CHANGELOG.md")
	for _, change := range changes {
		if !strings.Contains(told, change.why) {
			t.Errorf("CHANGELOG.md does not say %q", change.why)
		}
		moments = append(moments, change.ports...)
	}
	crowd.end(t, moments)
	t.Logf("the takeover took %v, %d connections were tried", time.Since(began).Round(time.Second), crowd.tried())
	l.whole(t)
	l.converged(t)
	for _, difference := range differences(before, l.held(t)) {
		name, _, _ := strings.Cut(difference, ":")
		named := slices.IndexFunc(changes, func(c replacement) bool { return c.what == name })
		if named < 0 {
			t.Errorf("the takeover changed %s", difference)
		} else {
			t.Logf("%s is new, as CHANGELOG.md says: %s", name, changes[named].why)
		}
	}
	for _, node := range l.nodes(t) {
		if out, err := l.try(node, "skep-firewall status"); err != nil || !strings.Contains(out, "loaded: yes") {
			t.Errorf("%s: %v: %s", node, err, out)
		}
		if out, err := l.try(node, "systemctl --failed --no-legend"); err != nil || out != "" {
			t.Errorf("%s: %v: %s", node, err, out)
		}
	}
	l.runbook(t, "verify").want(t, 0)
}

// held is what a takeover has to leave alone, by name.
func (l *lab) held(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	note := func(text string) {
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
			out[name] = strings.TrimSpace(out[name] + " " + value)
		}
	}
	note(l.on(t, "m1", `
		docker service ps --no-trunc --filter desired-state=running --format '{{.Name}}	{{.ID}}' $(docker service ls -q) | sort | sed 's/^\([^.]*\)[^	]*/\1/'
		docker secret ls --format 'secret {{.Name}}	{{.ID}}'
		docker network ls --filter scope=swarm --format 'network {{.Name}}	{{.ID}}'
		docker node ls --format 'node {{.Hostname}}	{{.ID}}'
		docker info --format 'cluster	{{.Swarm.Cluster.ID}}'
		docker swarm join-token -q worker | sha256sum | sed 's/^/token	/'`))
	for _, node := range l.nodes(t) {
		note(l.on(t, node, `
			for unit in docker containerd nfs-server ssh; do
				printf '%s '"$HOSTNAME"'\t%s\n' "$unit" "$(systemctl show "$unit" -p MainPID -p ActiveEnterTimestampMonotonic --value | tr '\n' ' ')"
			done
			find /etc/docker/tls /etc/docker/daemon.json /etc/skep/secrets -type f 2>/dev/null | sort | while read -r file; do
				printf '%s %s\t%s\n' "$HOSTNAME" "$file" "$(sha256sum <"$file")"
			done`))
	}
	err := filepath.WalkDir(l.bundle+".state/certs", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out["state "+strings.TrimPrefix(path, l.bundle+".state/")] = sum(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// differences lists what two such lists do not have in common.
func differences(before, after map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != before[name] {
			out = append(out, fmt.Sprintf("%s: %q, was %q", name, after[name], before[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[name]; !there {
			out = append(out, fmt.Sprintf("%s: %q is new", name, after[name]))
		}
	}
	return out
}

// bare is what there is of files, units and rules on a node that skep has nothing to do with.
func (l *lab) bare(t *testing.T, node string) string {
	t.Helper()
	return l.on(t, node, `
		find /etc /usr/local -type f -printf '%p %m %u:%g ' -exec sh -c 'sha256sum <"$1"' sh {} \; | sort
		find /etc/systemd -type l -printf '%p -> %l\n' | sort
		systemctl list-unit-files --no-legend --state=enabled,masked | sort
		systemctl --failed --no-legend
		{ nft list ruleset; iptables-save; ip6tables-save; } 2>/dev/null | grep -i skep || true
		sysctl net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start`)
}

// undoAll takes a cluster back that two versions built.
func undoAll(t *testing.T, l *lab, bare map[string]string) {
	l.runbook(t, "undo", "--yes").want(t, 0)
	for _, node := range slices.Sorted(maps.Keys(bare)) {
		want, got := strings.Split(bare[node], "\n"), strings.Split(l.bare(t, node), "\n")
		for _, line := range got {
			if !slices.Contains(want, line) && !stays.MatchString(strings.Fields(line + " x")[0]) {
				t.Errorf("%s: undo leaves %s", node, line)
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) && !stays.MatchString(strings.Fields(line + " x")[0]) {
				t.Errorf("%s: undo does not bring back %s", node, line)
			}
		}
	}
}
