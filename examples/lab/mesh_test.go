package lab

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMesh raises a swarm whose nodes talk over WireGuard. Where the machine's kernel has none, wireguard-go is in the
// nodes (and nothing else is changed for it): the bundle's own unit and command take it.
func TestMesh(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the mesh takes some minutes; go test -run TestMesh without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to raise the mesh")
	}
	need(t, map[string]string{"wg": "wireguard-tools", "wireguard-go": "wireguard-go"})
	l := newLab(t)
	_ = l.part(t, "deploy", deployMesh) &&
		l.part(t, "addresses", meshAddresses) &&
		l.part(t, "overlay", meshOverlay) &&
		l.part(t, "closed", meshClosed) &&
		l.part(t, "peer", meshPeer) &&
		l.part(t, "second run", secondRun) &&
		l.part(t, "reboot", meshReboot) &&
		l.part(t, "rotation", meshRotation)
}

// device is the interface of the mesh.
const device = "skep-mesh"

// deployMesh has the nodes make their keys, puts what the runbook collected beside the spec, and goes on from there.
func deployMesh(t *testing.T, l *lab) {
	l.compile(t)
	from := strings.Index(l.spec, "\t\tmonitoring: {")
	to := strings.Index(l.spec, "\t\tnfs: {")
	if from < 0 || to < from {
		t.Fatal("the spec has no monitoring before nfs")
	}
	l.build(t,
		edit{l.spec[from:to], "\t\tvpn: mesh: peers: boss: {publicKey: \"" + l.peerKey(t) + "\", zone: \"management\"}\n"},
		edit{"\t\ts3: {}\n", ""})
	l.images = lastLine(l.do(t, "images", l.bundle))
	// Without keys in the spec nothing goes past the mesh; the firewall comes later.
	l.runbook(t, "run", "--yes").want(t, 1, "and the spec has none")
	if out, err := l.try("w1", "nft list table inet skep"); err == nil {
		t.Errorf("the firewall came before the mesh:\n%s", out)
	}
	l.keys = string(l.operatorFile(t, "mesh.cue"))
	l.build(t)
	o := l.run(t)
	t.Log(lastLine(o.text))
	t.Logf("WireGuard: %s", l.on(t, "m1", "pgrep -a wireguard-go || echo the kernel\\'s"))
}

// peerKey makes the key pair of a machine elsewhere, and returns the public half.
func (l *lab) peerKey(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", `umask 077; wg genkey >"$1/boss.key"; wg pubkey <"$1/boss.key"`, "sh", l.temp).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// meshAddresses wants the swarm, and whatever the nodes tell each other, to be in the mesh.
func meshAddresses(t *testing.T, l *lab) {
	for _, node := range l.nodes(t) {
		address := l.address(t, node)
		if !strings.HasPrefix(address, "10.190.") {
			t.Errorf("%s is %s in the inventory", node, address)
		}
		if got := l.on(t, node, "docker info --format '{{.Swarm.NodeAddr}}'"); got != address {
			t.Errorf("docker info on %s: NodeAddr %s, want %s", node, got, address)
		}
		if got := l.on(t, "m1", "docker node inspect "+node+" --format '{{.Status.State}} {{.Status.Addr}}'"); got != "ready "+address {
			t.Errorf("%s is %q in the swarm", node, got)
		}
		if got := l.on(t, node, "docker info --format '{{range .Swarm.RemoteManagers}}{{.Addr}} {{end}}'"); got != l.address(t, "m1")+":2377 " {
			t.Errorf("%s knows the managers %q", node, got)
		}
		if got := l.on(t, node, "ip -o link show "+device); !strings.Contains(got, "mtu 1420 ") {
			t.Errorf("%s: %s", node, got)
		}
		if got := l.on(t, node, "stat -c %a /etc/skep/mesh/private.key"); got != "600" {
			t.Errorf("%s: the private key has mode %s", node, got)
		}
		private := l.on(t, node, "cat /etc/skep/mesh/private.key")
		if out, err := exec.Command("grep", "-rlF", private, l.bundle, l.bundle+".state").Output(); err == nil {
			t.Errorf("the private key of %s is in %s", node, out)
		}
	}
	if got := l.on(t, "m1", "ss -H -ltn 'sport = :2377'"); !strings.Contains(got, l.address(t, "m1")+":2377") || strings.Contains(got, "*:2377") || strings.Contains(got, "0.0.0.0:2377") {
		t.Errorf("the swarm listens on %s", got)
	}
	if got := l.on(t, "m1", "exportfs -s"); !strings.Contains(got, l.address(t, "w1")) || strings.Contains(got, l.underlay(t, "w1")) {
		t.Errorf("exports: %s", got)
	}
	for network := range strings.FieldsSeq(l.on(t, "m1", "docker network ls --filter driver=overlay --format '{{.Name}}'")) {
		if got := l.on(t, "m1", `docker network inspect `+network+` --format '{{index .Options "com.docker.network.driver.mtu"}}'`); got != "1420" {
			t.Errorf("the network %s has the MTU %q", network, got)
		}
	}
}

// overlayService runs a task of the router's image on a node, and returns its container and its address in the overlay.
func (l *lab) overlayService(t *testing.T, name, node, command string) (id, address string) {
	t.Helper()
	image := strings.Fields(l.on(t, "m1", "docker image ls --format '{{.Repository}}:{{.Tag}}' traefik"))[0]
	l.on(t, "m1", fmt.Sprintf(`docker service create --detach --quiet --name %s --network traefik-public --endpoint-mode dnsrr --no-resolve-image \
		--constraint node.labels.skep.node==%s --entrypoint '/bin/busybox %s' %s >/dev/null`, name, node, command, image))
	t.Cleanup(func() { l.on(t, "m1", "docker service rm "+name+" >/dev/null") })
	eventually(t, time.Minute, func() error {
		got, err := l.try(node, fmt.Sprintf(`id=$(docker ps -q -f name=^%s) && [ -n "$id" ] && docker inspect $id --format '{{.Id}} {{(index .NetworkSettings.Networks "traefik-public").IPAddress}}'`, name))
		f := strings.Fields(got)
		if err != nil || len(f) != 2 {
			return fmt.Errorf("%s has no task yet: %v %s", name, err, got)
		}
		id, address = f[0], f[1]
		return nil
	})
	return id, address
}

// load brings the router's image to a node that has no use for it otherwise.
func (l *lab) load(t *testing.T, node string) {
	t.Helper()
	archive, err := os.Open(filepath.Join(l.images, l.on(t, "m1", "docker image ls --format '{{.Repository}}_{{.Tag}}' traefik")+".tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	cmd := l.command("ssh", node, "docker load --quiet")
	cmd.Stdin = archive
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", node, err, out)
	}
}

// meshOverlay sends full packets between tasks on two nodes, and many bytes.
func meshOverlay(t *testing.T, l *lab) {
	for _, node := range []string{"w1", "w2"} {
		if _, err := l.try(node, "docker image ls -q traefik | grep ."); err != nil {
			l.load(t, node)
		}
	}
	_, answer := l.overlayService(t, "answer", "w2", "httpd -f -p 8000 -h /bin")
	asker, _ := l.overlayService(t, "asker", "w1", "sleep 3600")
	got := l.on(t, "w1", "docker exec "+asker+" /bin/busybox ip link show")
	mtu := regexp.MustCompile(`eth\d+@\S+ <[^>]*> mtu (\d+)`).FindAllStringSubmatch(got, -1)
	var overlay int
	for _, m := range mtu {
		if n, _ := strconv.Atoi(m[1]); overlay == 0 || n < overlay {
			overlay = n
		}
	}
	if overlay != 1370 {
		t.Errorf("the overlay has the MTU %d, want 1370:\n%s", overlay, got)
	}
	eventually(t, 30*time.Second, func() error {
		// 28 bytes of headers fill the packet.
		out, err := l.try("w1", fmt.Sprintf("docker exec %s /bin/busybox ping -c 1 -W 5 -s %d %s", asker, overlay-28, answer))
		if err != nil {
			return fmt.Errorf("a full packet: %w\n%s", err, out)
		}
		return nil
	})
	want := l.on(t, "w1", "docker exec "+asker+" /bin/busybox sha256sum /bin/busybox")
	fragments := l.on(t, "w2", `awk '$1 == "Ip:" && $2 ~ /^[0-9]/ { print $20 }' /proc/net/snmp`)
	if got := l.on(t, "w1", "nsenter -t $(docker inspect --format '{{.State.Pid}}' "+asker+") -n curl --silent --fail --max-time 30 http://"+answer+":8000/busybox | sha256sum"); strings.Fields(got)[0] != strings.Fields(want)[0] {
		t.Errorf("another file came through the overlay: %s, want %s", got, want)
	}
	if after := l.on(t, "w2", `awk '$1 == "Ip:" && $2 ~ /^[0-9]/ { print $20 }' /proc/net/snmp`); after != fragments {
		t.Errorf("w2 sent fragments: %s, were %s", after, fragments)
	}
}

// meshClosed tries the swarm's ports past the mesh, with the nodes' own addresses as well.
func meshClosed(t *testing.T, l *lab) {
	if open, err := passes("w1", net.JoinHostPort(l.address(t, "m1"), "2377"), 5*time.Second); !open || err != nil {
		t.Errorf("w1 does not reach the swarm's port in the mesh (%v)", err)
	}
	probes := 0
	for _, place := range []string{"management", "nuvla", "users", "neighbour", "w1", "w2"} {
		for _, port := range []string{"2377", "7946", "2049"} {
			probes++
			if open, err := passes(place, net.JoinHostPort(l.underlay(t, "m1"), port), time.Second); open || err != nil {
				t.Errorf("%s reaches %s/tcp of m1 past the mesh (%v)", place, port, err)
			}
		}
	}
	// Nobody answers on these ports as a rule: a refusal of the kernel would be an answer, so silence is the filter's.
	for _, place := range []string{"users", "neighbour", "w1"} {
		for _, port := range []string{"4789", "7946"} {
			probes++
			if open, err := echoes(place, net.JoinHostPort(l.underlay(t, "m1"), port), time.Second); open || err != nil {
				t.Errorf("%s: %s/udp of m1 past the mesh: open is %v (%v)", place, port, open, err)
			}
		}
	}
	// A neighbour claims the address of w2 in the mesh, or of a peer.
	boss := regexp.MustCompile(`(?m)^Address = ([0-9.]+)/32$`).FindStringSubmatch(read(t, filepath.Join(l.bundle, "vpn/peers/boss.conf")))
	if boss == nil {
		t.Fatal("the peer's file has no address")
	}
	for _, forged := range []string{l.address(t, "w2"), boss[1]} {
		mustZone(t, "neighbour", "ip address add "+forged+"/32 dev lo")
		mustZone(t, "neighbour", "ip route add "+l.address(t, "m1")+" via "+l.underlay(t, "m1")+" src "+forged)
		for _, port := range []string{"22", "2377", "7946"} {
			probes++
			if open, err := passes("neighbour", net.JoinHostPort(l.address(t, "m1"), port), time.Second); open || err != nil {
				t.Errorf("a neighbour as %s reaches %s/tcp (%v)", forged, port, err)
			}
		}
		mustZone(t, "neighbour", "ip route del "+l.address(t, "m1"))
		mustZone(t, "neighbour", "ip address del "+forged+"/32 dev lo")
	}
	t.Logf("%d probes past the mesh", probes)
}

// meshPeer joins from the zone users with the file of the bundle: 51820/udp is open to anybody, and inside the peer is in
// the zone of its row, management.
func meshPeer(t *testing.T, l *lab) {
	const script = `ns=$1 file=$2 key=$3
cleanup() { ip netns exec "$ns" ip link del boss 2>/dev/null || true; }
trap cleanup EXIT
ip netns exec "$ns" ip link add boss type wireguard 2>/dev/null || ip netns exec "$ns" wireguard-go boss
{ grep -vE '^(Address|MTU|PostUp)' "$file"; printf '\n[Interface]\nPrivateKey = %s\n' "$(cat "$key")"; } >"$key.conf"
ip netns exec "$ns" wg setconf boss "$key.conf"
ip netns exec "$ns" ip address add "$(sed -n 's/^Address = //p' "$file")" dev boss
ip netns exec "$ns" ip link set boss mtu 1420 up
for to in $(sed -n 's/^AllowedIPs = //p' "$file"); do ip netns exec "$ns" ip route add "$to" dev boss; done
shift 3
end=$(($(date +%s) + 40))
for to; do
	until ip netns exec "$ns" bash -c ': </dev/tcp/${1%:*}/${1#*:}' ask "$to" 2>/dev/null; do
		[ "$(date +%s)" -lt "$end" ] || { echo "$to does not answer"; ip netns exec "$ns" wg show boss; exit 1; }
	done
done
! ip netns exec "$ns" timeout 2 bash -c ": </dev/tcp/$MANAGER/2377" 2>/dev/null || { echo 'a peer reaches the swarm'; exit 1; }`
	args := []string{"-ec", script, "sh", "skep-users", filepath.Join(l.bundle, "vpn/peers/boss.conf"), filepath.Join(l.temp, "boss.key")}
	for _, node := range l.nodes(t) {
		args = append(args, l.address(t, node)+":22")
	}
	cmd := exec.Command("bash", args...)
	cmd.Env = append(cmd.Environ(), "MANAGER="+l.address(t, "m1"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// meshReboot pulls a node's plug: after the next start the engine comes after the mesh, and the node is back.
func meshReboot(t *testing.T, l *lab) {
	l.do(t, "stop", "w1")
	l.do(t, "start", "w1")
	times := strings.Fields(l.on(t, "w1", "systemctl show --value -p ActiveEnterTimestampMonotonic skep-mesh; systemctl show --value -p ExecMainStartTimestampMonotonic docker"))
	if len(times) != 2 {
		t.Fatalf("times of units: %q", times)
	}
	mesh, err1 := strconv.Atoi(times[0])
	engine, err2 := strconv.Atoi(times[1])
	if err1 != nil || err2 != nil || mesh == 0 || engine < mesh {
		t.Errorf("the mesh was up after %d µs, the engine began after %d", mesh, engine)
	}
	t.Logf("mesh up at %d ms, engine started at %d ms", mesh/1000, engine/1000)
	if restarts := l.on(t, "w1", "systemctl show --value -p NRestarts docker"); restarts != "0" {
		t.Errorf("the engine needed %s restarts", restarts)
	}
	l.ready(t, "w1")
	meshOverlay(t, l)
}

// ready waits until the swarm has the node back.
func (l *lab) ready(t *testing.T, node string) {
	t.Helper()
	eventually(t, 2*time.Minute, func() error {
		if got := l.on(t, "m1", "docker node inspect "+node+" --format '{{.Status.State}} {{.Status.Addr}}'"); got != "ready "+l.address(t, node) {
			return fmt.Errorf("%s is %q", node, got)
		}
		return nil
	})
}

// meshRotation gives a node another key, as the bundle's README says, without the swarm losing it.
func meshRotation(t *testing.T, l *lab) {
	old := l.on(t, "w2", "wg show "+device+" public-key")
	next := lastLine(l.on(t, "w2", "skep-mesh rotate"))
	if now := l.on(t, "w2", "systemctl reload skep-mesh && wg show "+device+" public-key"); now != old {
		t.Errorf("the tunnel has the key %s before the others know it", now)
	}
	l.run(t, "--only", "mesh-collect")
	l.keys = string(l.operatorFile(t, "mesh.cue"))
	if !strings.Contains(l.keys, next) || strings.Contains(l.keys, old) {
		t.Fatalf("mesh.cue:\n%s", l.keys)
	}
	l.build(t)
	l.run(t)
	l.did(t, "mesh m1", "mesh w1", "mesh w2")
	if now := l.on(t, "w2", "wg show "+device+" public-key"); now != next {
		t.Errorf("the tunnel has the key %s, want %s", now, next)
	}
	l.ready(t, "w2")
	meshOverlay(t, l)
	l.run(t)
	l.did(t)
}
