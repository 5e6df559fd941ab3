package lab

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// change edits the spec as clusters are edited over the years. Each time only what the edit needs is done, and what
// the spec names no more is gone.
func change(t *testing.T, l *lab) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, *lab)
	}{
		{"setting", changeSetting},
		{"secret", raiseRevision},
		{"port", closePort},
		{"node", addNode},
		{"monitoring", removeMonitoring},
	} {
		if !t.Run(c.name, func(t *testing.T) { c.f(t, l) }) {
			return
		}
	}
}

// did wants the last run to have changed exactly these steps on these hosts.
func (l *lab) did(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := l.done(t); !slices.Equal(got, want) {
		t.Errorf("the run did %q, want %q", got, want)
	}
}

// settled wants a further run to change nothing, and the swarm to be what the bundle says.
func (l *lab) settled(t *testing.T) {
	t.Helper()
	l.run(t)
	l.did(t)
	swarm(t, l)
}

// service returns the version of a service, which rises with each update.
func (l *lab) service(t *testing.T, name string) string {
	t.Helper()
	return l.on(t, "m1", "docker service inspect --format '{{.Version.Index}}' "+name)
}

func changeSetting(t *testing.T, l *lab) {
	before := l.service(t, "monitoring_prometheus")
	l.build(t, edit{"\t\t\tcertificate: selfSigned: {}", "\t\t\tcertificate: selfSigned: {}\n\t\t\tlog: \"WARN\""})
	l.run(t)
	l.did(t, "traefik m1")
	if l.service(t, "monitoring_prometheus") != before {
		t.Error("Prometheus was updated, too")
	}
	id := l.on(t, "m1", "docker ps -q -f name=traefik_traefik")
	if got := l.on(t, "m1", "docker exec "+id+" cat /etc/traefik/traefik.yaml"); !strings.Contains(got, "WARN") {
		t.Errorf("the running Traefik has the settings\n%s", got)
	}
	l.settled(t)
	pages(t, l)
}

func raiseRevision(t *testing.T, l *lab) {
	key := func(revision int) string {
		return l.on(t, "m1", fmt.Sprintf("cat /etc/skep/secrets/s3-access-key-r%d", revision)) + ":" + l.on(t, "m1", fmt.Sprintf("cat /etc/skep/secrets/s3-secret-key-r%d", revision))
	}
	const url = "https://lab.example.org:9000/hive/bees.txt"
	old := key(1)
	l.build(t, edit{"\t\ts3: {}", "\t\ts3: revision: 2"})
	l.run(t)
	l.did(t, "secrets m1", "s3 m1") // the old revision stays one generation
	eventually(t, time.Minute, func() error {
		if out, err := l.s3(t, "nuvla", key(2), url); err != nil {
			return fmt.Errorf("the new key: %w: %s", err, out)
		}
		return nil
	})
	if out, err := l.s3(t, "nuvla", old, url); err == nil {
		t.Errorf("the old key still opens S3: %s", out)
	}
	l.settled(t)

	// Rollback by reflex finds what the old spec names; the next run takes the new one up again.
	l.on(t, "m1", "docker service rollback --detach=false --quiet s3_s3")
	eventually(t, time.Minute, func() error {
		if out, err := l.s3(t, "nuvla", old, url); err != nil {
			return fmt.Errorf("the old key after a rollback: %w: %s", err, out)
		}
		return nil
	})
	l.run(t)
	l.did(t, "s3 m1")
	l.settled(t)
}

func closePort(t *testing.T, l *lab) {
	l.build(t, edit{"\taccess: {", "\tapplications: hostMode: false\n\taccess: {"})
	l.run(t)
	for _, step := range l.done(t) {
		if !strings.HasPrefix(step, "firewall ") && !strings.HasPrefix(step, "engine ") {
			t.Errorf("a closed port did %s", step)
		}
	}
	matrix := l.matrix(t)
	l.send(t, matrix, l.probes(t, "tcp", []int{22, 443, 31234, 32767, 32768, 40000, 60999}), passes)
	if allowed(matrix, probe{from: "users", zone: "users", to: "w1", role: "worker", proto: "tcp", port: 40000}) {
		t.Error("README.md still has the range of host mode")
	}
	l.settled(t)
}

// addNode adds a worker whose port is taken at first: the run stops before anything is changed, and goes on.
func addNode(t *testing.T, l *lab) {
	l.do(t, "start", "w3")
	l.build(t, edit{"\t\tw2: {address: \"10.77.0.13\"}", "\t\tw2: {address: \"10.77.0.13\"}\n\t\tw3: {address: \"10.77.0.14\", labels: disk: \"hdd\"}"})
	l.on(t, "w3", "systemd-run --quiet --unit=squatter nc -lk 7946")
	eventually(t, 10*time.Second, func() error {
		_, err := l.try("w3", "nc -z 127.0.0.1 7946")
		return err
	})
	l.stopped(t, "preflight", "w3", "port 7946/tcp is taken by nc")
	l.on(t, "w3", "systemctl stop squatter")
	traefik := l.service(t, "traefik_traefik")
	l.run(t)
	done := l.done(t)
	for _, step := range []string{"engine w3", "firewall m1", "firewall w1", "firewall w2", "firewall w3", "workers w3", "nodes m1", "nfs-server m1", "nfs-clients w3", "images w3"} {
		if !slices.Contains(done, step) {
			t.Errorf("the new worker did not do %s: %q", step, done)
		}
	}
	for _, step := range done {
		switch name, host, _ := strings.Cut(step, " "); {
		case host == "w3", name == "firewall", name == "nodes", name == "nfs-server", name == "monitoring", name == "verify":
		default:
			t.Errorf("the new worker did %s", step)
		}
	}
	if l.service(t, "traefik_traefik") != traefik {
		t.Error("Traefik was updated")
	}
	targets(t, l)
	matrix := l.matrix(t)
	l.send(t, matrix, l.probes(t, "tcp", []int{22, 2049, 2376, 2377, 7946, 9323, 31234}), passes)
	url := "nfs://" + l.address(t, "m1") + "/srv/nfs/hive/bees.txt?version=4"
	if out, err := l.try("w3", "nfs-cat '"+url+"'"); err != nil {
		t.Errorf("w3 reads over NFS: %v: %s", err, out)
	}
	l.settled(t)
}

// monitoring is what the spec says about it.
const monitoring = `		monitoring: {
			prometheus: image: "prom/prometheus:v3.15.0"
			alerts: webhook: url: "http://10.78.1.2:9095/alerts"
		}
`

func removeMonitoring(t *testing.T, l *lab) {
	l.build(t, edit{monitoring, ""})
	l.run(t)
	if out := l.on(t, "m1", `docker service ls --format '{{.Name}}'; docker network ls --format '{{.Name}}'; docker secret ls --format '{{.Name}}'
		docker config ls --format '{{.Name}}'`); strings.Contains(out, "monitoring") || strings.Contains(out, "grafana") {
		t.Errorf("of the monitoring is left:\n%s", out)
	}
	for _, port := range []string{"9323"} {
		if open, err := passes("w1", net.JoinHostPort(l.address(t, "m1"), port), 2*time.Second); open || err != nil {
			t.Errorf("port %s is open (%v)", port, err)
		}
	}
	client := browser("management", l.address(t, "m1"), l.operatorFile(t, "certs", "ca.pem"))
	if code, _, text := page(t, client, "https://lab.example.org/prometheus/", l.login(t)); code != 503 {
		t.Errorf("the page of Prometheus: %d %s", code, text)
	}
	if strings.Contains(read(t, filepath.Join(l.bundle, "images.txt")), "prometheus") {
		t.Error("images.txt names Prometheus")
	}
	l.settled(t)
}
