package lab

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What only a full kernel can show: the routing mesh, encrypted overlays, and NFS in the kernel.

// lighten gives every node the image that the test's own services run: without monitoring no stack brings it.
func (l *lab) lighten(t *testing.T) {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(l.images, "prom_node-exporter_*.tar"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("want one archive of node-exporter, got %q: %v", archives, err)
	}
	for _, node := range l.nodes(t) {
		archive, err := os.Open(archives[0])
		if err != nil {
			t.Fatal(err)
		}
		load := l.command("ssh", node, "docker load")
		load.Stdin = archive
		here(t, load)
		archive.Close()
	}
}

// slacken gives a swarm on an emulated machine more time than the bundle does: managers wait longer for news of a node, and
// health checks have a minute, since a program as large as Traefik does not even begin within their five seconds.
func (l *lab) slacken(t *testing.T) {
	t.Helper()
	l.run(t, "--to", "swarm")
	l.on(t, "m1", "docker swarm update --dispatcher-heartbeat 1m >/dev/null")
	if *light {
		return // no stack
	}
	manifest := read(t, filepath.Join(l.bundle, "MANIFEST"))
	for _, file := range l.stacks(t) {
		before := read(t, file)
		after := strings.ReplaceAll(before, "timeout: 5s", "timeout: 1m")
		if after == before {
			t.Fatalf("%s: no health check of five seconds", file)
		}
		write(t, file, after)
		manifest = strings.ReplaceAll(manifest, fmt.Sprintf("%x", sha256.Sum256([]byte(before))), fmt.Sprintf("%x", sha256.Sum256([]byte(after))))
	}
	write(t, filepath.Join(l.bundle, "MANIFEST"), manifest)
}

// serve starts a service of the test whose tasks answer on port 8001, and waits for all of them.
func (l *lab) serve(t *testing.T, name string, tasks int, options ...string) {
	t.Helper()
	l.on(t, "m1", fmt.Sprintf(`docker service create --detach --quiet --name %s --replicas %d --no-resolve-image %s \
		"$(docker image ls --format '{{.Repository}}:{{.Tag}}' prom/node-exporter)" --web.listen-address=:8001 >/dev/null`,
		name, tasks, strings.Join(options, " ")))
	t.Cleanup(func() { l.on(t, "m1", "docker service rm "+name+" >/dev/null") })
	eventually(t, time.Minute, func() error {
		if got, want := l.on(t, "m1", "docker service ls --filter name="+name+" --format '{{.Replicas}}'"), fmt.Sprintf("%d/%d", tasks, tasks); got != want {
			return fmt.Errorf("%s has %s tasks", name, got)
		}
		return nil
	})
}

var nodename = regexp.MustCompile(`(?m)^node_uname_info\{.*nodename="([^"]*)"`)

// routing publishes a service of two tasks in ingress mode: IPVS carries it to every node, balances it, and the firewall
// lets it through for the zones of the matrix alone.
func routing(t *testing.T, l *lab) {
	const published, unnamed = 31234, 8888 // a port of the applications' range, and one of no row
	l.serve(t, "mesh", 2, "--constraint node.role==worker", "--publish", fmt.Sprintf("%d:8001", published), "--publish", fmt.Sprintf("%d:8001", unnamed))
	for _, node := range l.nodes(t) {
		client, seen := browser("users", l.address(t, node), nil), map[string]bool{}
		eventually(t, time.Minute, func() error {
			code, _, text := page(t, client, fmt.Sprintf("http://lab.example.org:%d/metrics", published), "")
			if m := nodename.FindStringSubmatch(text); code == http.StatusOK && m != nil {
				seen[m[1]] = true
			}
			if len(seen) != 2 {
				return fmt.Errorf("%s: %d %.100s; tasks that answered: %v", node, code, text, seen)
			}
			return nil
		})
		// Answers that the firewall swallows are no proof without a listener behind it.
		if out, err := l.try(node, fmt.Sprintf("nc -z -w 9 127.0.0.1 %d", unnamed)); err != nil {
			t.Errorf("%s: nothing listens on %d: %v %s", node, unnamed, err, out)
		}
		table := l.on(t, node, "nsenter --net=/run/docker/netns/ingress_sbox cat /proc/net/ip_vs")
		if got := strings.Count(table, "->"); !strings.Contains(table, "FWM") || got < 3 {
			t.Errorf("%s: IPVS has\n%s", node, table)
		}
	}
	matrix := l.matrix(t)
	l.send(t, matrix, l.probes(t, "tcp", []int{published, unnamed}), passes)
}

// encryption lets tasks on two nodes talk over the network that the bundle encrypts, and looks at the wire meanwhile.
func encryption(t *testing.T, l *lab) {
	const published = 31235
	l.serve(t, "near", 1, "--constraint node.hostname==w1", "--network traefik-public", "--publish", fmt.Sprintf("%d:8001", published))
	l.serve(t, "far", 1, "--constraint node.hostname==w2", "--network traefik-public")
	near := l.on(t, "w1", "docker ps -q -f name=near.1")

	wire := l.capture(t, "to-w2", "w1", "w2", func() {
		// By the name of the service, so its virtual address and IPVS, and by the name of its tasks.
		for _, name := range []string{"far", "tasks.far"} {
			eventually(t, time.Minute, func() error {
				// The node's own curl asks, in the network of the task: the image's is no browser.
				out, err := l.try("w1", `address=$(docker exec `+near+` nslookup `+name+` | sed -n 's/^Address.*[ \t]\([0-9.]*\)$/\1/p' | tail -n 1)
					[ -n "$address" ] && nsenter -t "$(docker inspect -f '{{.State.Pid}}' `+near+`)" -n curl -s -m 30 "http://$address:8001/metrics"`)
				if err != nil {
					return fmt.Errorf("%w: %.200s", err, out)
				}
				if !nodename.MatchString(out) {
					return fmt.Errorf("not the page: %.100s", out)
				}
				return nil
			})
		}
	})
	t.Logf("between w1 and w2: %d ESP packets, %d of VXLAN in clear", wire.sealed, wire.clear)
	if wire.sealed < 8 || wire.clear > 0 {
		t.Errorf("want ESP alone\n%s", wire.text)
	}
	states := l.on(t, "w2", "ip -s xfrm state")
	if !strings.Contains(states, "src "+l.address(t, "w1")+" dst "+l.address(t, "w2")) || !strings.Contains(states, "proto esp") {
		t.Errorf("w2 has the states\n%s", states)
	}

	// The routing mesh is another network, never encrypted: what the wire shows then proves that clear packets are seen.
	wire = l.capture(t, "to-w1", "m1", "w1", func() {
		client := browser("users", l.address(t, "m1"), nil)
		eventually(t, time.Minute, func() error {
			if code, _, text := page(t, client, fmt.Sprintf("http://lab.example.org:%d/", published), ""); code != http.StatusOK {
				return fmt.Errorf("%d %s", code, text)
			}
			return nil
		})
	})
	t.Logf("through the routing mesh: %d packets of VXLAN in clear", wire.clear)
	if wire.clear == 0 {
		t.Errorf("the wire shows nothing of the routing mesh\n%s", wire.text)
	}
}

// traffic is what went between two nodes: ESP, VXLAN, and the lines about both.
type traffic struct {
	sealed, clear int
	text          string
}

// capture looks at a link of the router while f runs.
func (l *lab) capture(t *testing.T, link, one, other string, f func()) traffic {
	t.Helper()
	filter := fmt.Sprintf("host %s and host %s and (esp or udp port 4789)", l.address(t, one), l.address(t, other))
	cmd := exec.Command("ip", "netns", "exec", "skep-router", "tcpdump", "-n", "-l", "--immediate-mode", "-i", link, filter)
	var seen strings.Builder
	cmd.Stdout = &seen
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		// It may have ended.
		_ = cmd.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, talk)
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(talk)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening on") {
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	f()
	stop()
	out := traffic{text: seen.String()}
	for line := range strings.Lines(out.text) {
		switch {
		case strings.Contains(line, "ESP("):
			out.sealed++
		case strings.Contains(line, "VXLAN"):
			out.clear++
		}
	}
	return out
}

// kernelClients mounts the export with the kernel's client, as the runbook, as Docker and as a stranger do.
func kernelClients(t *testing.T, l *lab, text string) {
	server := l.address(t, "m1")
	if got := l.on(t, "m1", "cat /proc/fs/nfsd/versions; ! pgrep ganesha"); !strings.Contains(got, "-3 ") || !strings.Contains(got, "+4.2") {
		t.Errorf("the kernel serves NFS %s", got)
	}
	for _, node := range []string{"w1", "w2"} {
		got := l.on(t, node, mounting("ro", server, `cat "$at/hive/bees.txt"; grep -F " $at " /proc/mounts`))
		if !strings.HasPrefix(got, text) || !strings.Contains(got, "vers=4.2") {
			t.Errorf("%s mounts and reads %q", node, got)
		}
		if out, err := l.try(node, mounting("rw", server, `touch "$at/hive/$HOSTNAME"`)); err == nil || !strings.Contains(out, "Read-only file system") {
			t.Errorf("%s writes over NFS: %v %s", node, err, out)
		}
	}
	if got := l.on(t, "m1", "ls /srv/nfs/hive"); got != "bees.txt" {
		t.Errorf("in the export are %q", got)
	}

	// The volume that the bundle gives to users, as Docker mounts it.
	create := "docker volume create --driver local"
	for _, m := range regexp.MustCompile(`(?m)^ +(type|device|o): "(.*)"$`).FindAllStringSubmatch(read(t, filepath.Join(l.bundle, "nfs/volume.yaml")), -1) {
		create += " --opt " + m[1] + "=" + m[2]
	}
	l.on(t, "w2", create+" bees >/dev/null")
	t.Cleanup(func() { l.on(t, "w2", "docker volume rm bees >/dev/null") })
	image := `"$(docker image ls --format '{{.Repository}}:{{.Tag}}' prom/node-exporter)"`
	if got := l.on(t, "w2", "docker run --rm --network none --volume bees:/data:ro --entrypoint /bin/cat "+image+" /data/hive/bees.txt"); got+"\n" != text {
		t.Errorf("a container with the volume reads %q", got)
	}

	// From the neighbour and from the zones nothing is mounted; from the network of a node the same line is.
	for _, place := range []string{"w1", "neighbour", "users", "management"} {
		err := exec.Command("ip", "netns", "exec", "skep-"+place, "timeout", "--signal=KILL", strconv.Itoa(8**patience),
			"mount", "-i", "-t", "nfs4", "-o", "ro,soft,timeo=50,retrans=1,vers=4.2,addr="+server, server+":/srv/nfs", "/mnt").Run()
		if want := place == "w1"; (err == nil) != want {
			t.Errorf("%s mounts the export: %v, want %v (%v)", place, err == nil, want, err)
		}
	}
}

// mounting is a shell script that mounts the export as the runbook's trial does, and looks into it.
func mounting(how, server, look string) string {
	return `set -e; at=$(mktemp -d); trap 'umount "$at" || true; rmdir "$at"' EXIT
		mount -t nfs4 -o ` + how + `,soft,timeo=50,retrans=2,nosuid,nodev,noexec ` + server + `:/srv/nfs "$at"; ` + look
}
