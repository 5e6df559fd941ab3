package lab

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// row is a line of the exposure matrix in the bundle's README.
type row struct {
	first, last int
	protos      []string
	on, from    []string
}

var rowPattern = regexp.MustCompile(`(?m)^\| (\d+)(?:-(\d+))?/(tcp|udp|tcp\+udp) \| [^|]* \| ([^|]*) \| ([^|]*) \|`)

// matrix reads what the README promises.
func (l *lab) matrix(t *testing.T) []row {
	t.Helper()
	return promises(t, l.bundle)
}

func promises(t *testing.T, bundle string) []row {
	t.Helper()
	var out []row
	for _, m := range rowPattern.FindAllStringSubmatch(read(t, filepath.Join(bundle, "README.md")), -1) {
		first, _ := strconv.Atoi(m[1])
		last := first
		if m[2] != "" {
			last, _ = strconv.Atoi(m[2])
		}
		out = append(out, row{first, last, strings.Split(m[3], "+"), strings.Split(m[4], ", "), strings.Split(m[5], ", ")})
	}
	if len(out) < 5 {
		t.Fatalf("README.md: %d rows in the exposure matrix", len(out))
	}
	return out
}

// probe is a packet from one place to a port of a node.
type probe struct {
	from, zone string // place, and the zone it is in ("" for the neighbour)
	to, role   string
	proto      string
	port       int
}

// allowed says what the matrix promises.
func allowed(matrix []row, p probe) bool {
	// The ranges of applications leave these out for NFS, whichever version is served.
	if p.port >= 33333 && p.port <= 33336 {
		return false
	}
	return slices.ContainsFunc(matrix, func(r row) bool {
		return p.port >= r.first && p.port <= r.last && slices.Contains(r.protos, p.proto) && slices.Contains(r.from, p.zone) &&
			(slices.Contains(r.on, "all") || slices.Contains(r.on, p.role+"s") || slices.Contains(r.on, p.to))
	})
}

// places are where packets come from, with their zones; every node is in the zone cluster.
func (l *lab) places(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{"management": "management", "nuvla": "nuvla", "users": "users", "neighbour": ""}
	for _, node := range l.nodes(t) {
		out[node] = "cluster"
	}
	return out
}

// ports returns every port of the matrix, both ends of each range and their outsides, and those that must be shut.
func ports(matrix []row) []int {
	out := []int{22, 53, 80, 111, 443, 2049, 2375, 2376, 2377, 4789, 7946, 8080, 8888, 9000, 9090, 9323, 30080, 31234, 33333, 33336, 40000, 45080, 61000}
	for _, r := range matrix {
		out = append(out, r.first-1, r.first, r.last, r.last+1)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (l *lab) probes(t *testing.T, proto string, ports []int) []probe {
	t.Helper()
	var out []probe
	for place, zone := range l.places(t) {
		for _, node := range l.nodes(t) {
			if place == node {
				continue
			}
			for _, port := range ports {
				out = append(out, probe{place, zone, node, l.role(t, node), proto, port})
			}
		}
	}
	return out
}

// try sends all probes, many at a time, and reports those that do not end as the matrix says. What surprises is tried
// again with more patience: a busy machine is slow to answer.
func (l *lab) send(t *testing.T, matrix []row, probes []probe, answers func(place, address string, patience time.Duration) (bool, error)) {
	t.Helper()
	var wait sync.WaitGroup
	slots, open := make(chan struct{}, 64), 0
	address := map[string]string{}
	for _, node := range l.nodes(t) {
		address[node] = l.address(t, node)
	}
	for _, p := range probes {
		want := allowed(matrix, p)
		if want {
			open++
		}
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wait.Done() }()
			to := net.JoinHostPort(address[p.to], strconv.Itoa(p.port))
			got, err := answers(p.from, to, time.Second)
			if got != want && err == nil {
				got, err = answers(p.from, to, 6*time.Second)
			}
			if got != want || err != nil {
				t.Errorf("%s -> %s %d/%s: open is %v, want %v (%v)", p.from, p.to, p.port, p.proto, got, want, err)
			}
		}()
	}
	wait.Wait()
	t.Logf("%d probes, %d of them open", len(probes), open)
}

// firewall sends packets from every zone, from a neighbour that is in none, and between the nodes.
func firewall(t *testing.T, l *lab) {
	matrix := l.matrix(t)
	// A service of a user, in host mode, also on a port that no row names.
	l.on(t, "m1", `docker service create --detach --quiet --name probe --mode global --no-resolve-image \
		--publish mode=host,published=30080,target=8001 --publish mode=host,published=45080,target=8002 \
		--publish mode=host,published=33333,target=8003 --publish mode=host,published=8888,target=8004 \
		"$(docker image ls --format '{{.Repository}}:{{.Tag}}' prom/node-exporter)" \
		--web.listen-address=:8001 --web.listen-address=:8002 --web.listen-address=:8003 --web.listen-address=:8004 >/dev/null`)
	t.Cleanup(func() { l.on(t, "m1", "docker service rm probe >/dev/null") })
	eventually(t, time.Minute, func() error {
		if got, want := l.on(t, "m1", "docker service ls --filter name=probe --format '{{.Replicas}}'"), len(l.nodes(t)); got != fmt.Sprintf("%d/%d", want, want) {
			return fmt.Errorf("the probe has %s tasks", got)
		}
		return nil
	})
	l.send(t, matrix, l.probes(t, "tcp", ports(matrix)), passes)
	for _, port := range []int{30080, 45080} {
		eventually(t, 20*time.Second, func() error {
			conn, err := dial("users", "tcp", net.JoinHostPort(l.address(t, "w1"), strconv.Itoa(port)), 5*time.Second)
			if err != nil {
				return err
			}
			return conn.Close()
		})
	}
	if _, err := l.try("w1", "for port in 33333 8888; do nc -z 127.0.0.1 $port || exit; done"); err != nil {
		t.Errorf("nothing listens on the ports that must be shut: %v", err)
	}

	// A listener of the test on the nodes themselves proves what silence would not.
	listeners := []int{53, 111, 9000, 30000, 31234, 32767, 33333, 33336, 40000, 60999, 61000}
	for _, node := range l.nodes(t) {
		for _, port := range listeners {
			echo(t, node, net.JoinHostPort(l.address(t, node), strconv.Itoa(port)))
		}
	}
	l.send(t, matrix, l.probes(t, "udp", listeners), echoes)
}

// containers checks what the matrix cannot say: addresses of containers are not reached from outside, containers
// reach the world, and of the nodes only what is meant for them.
func containers(t *testing.T, l *lab) {
	gateway := l.address(t, "w1")
	task := strings.Fields(l.on(t, "w1", `id=$(docker ps -q -f name=monitoring_cadvisor)
		docker inspect -f '{{.State.Pid}}' "$id"
		docker network inspect docker_gwbridge -f '{{range $k, $v := .Containers}}{{$k}} {{$v.IPv4Address}}{{"\n"}}{{end}}' | sed -n "s|^$id[^ ]* \(.*\)/.*|\1|p"`))
	if len(task) != 2 {
		t.Fatalf("want a process and an address, got %q", task)
	}
	inside := func(to string, port int) string {
		return fmt.Sprintf("nsenter -t %s -n nc -z -w 3 %s %d", task[0], to, port)
	}
	if out, err := l.try("w1", "nc -z -w 3 "+task[1]+" 8080"); err != nil {
		t.Errorf("the node itself does not reach its container: %v %s", err, out)
	}
	for _, place := range []string{"neighbour", "m1"} {
		mustZone(t, place, "ip route add "+task[1]+" via "+gateway)
		t.Cleanup(func() { mustZone(t, place, "ip route del "+task[1]+" via "+gateway) })
	}
	mustZone(t, "router", "ip route add "+task[1]+" via "+gateway)
	t.Cleanup(func() { mustZone(t, "router", "ip route del "+task[1]+" via "+gateway) })
	for _, place := range []string{"neighbour", "m1", "users", "nuvla", "management"} {
		if open, err := passes(place, net.JoinHostPort(task[1], "8080"), 2*time.Second); open || err != nil {
			t.Errorf("%s reaches a container by its own address (%v)", place, err)
		}
	}

	callers := listen(t, "management", "10.78.1.2:8123")
	if out, err := l.try("w1", inside("10.78.1.2", 8123)); err != nil {
		t.Errorf("a container does not reach the world: %v %s", err, out)
	} else if from := (<-callers).String(); !strings.HasPrefix(from, gateway+":") {
		t.Errorf("a container leaves as %s, want its node's address", from)
	}
	for port, want := range map[int]bool{22: false, 2376: false, 2377: false, 7946: false, 9323: true} {
		for _, node := range []string{"w1", "m1"} {
			if node == "w1" && (port == 2376 || port == 2377) {
				continue
			}
			if _, err := l.try("w1", inside(l.address(t, node), port)); (err == nil) != want {
				t.Errorf("a container of w1 to %s of %s: open is %v, want %v", strconv.Itoa(port), node, err == nil, want)
			}
		}
	}
}
