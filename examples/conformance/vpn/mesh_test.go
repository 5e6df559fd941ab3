package vpn

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/artifact"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// meshSpec is a cluster of nodes with keys; hub is a line of services.vpn.mesh or empty.
func meshSpec(keys map[string]string, rest string) string {
	var b strings.Builder
	b.WriteString("name: mesh\nkind: target\ndomain: mesh.example.org\naccess: {management: [192.0.2.0/28], nuvla: [203.0.113.10/32]}\nnodes:\n")
	for i, name := range []string{"m1", "w1", "w2"} {
		role := map[bool]string{true: "manager", false: "worker"}[i == 0]
		fmt.Fprintf(&b, "  %s: {address: 10.50.0.%d, role: %s", name, 11+i, role)
		if key := keys[name]; key != "" {
			fmt.Fprintf(&b, ", mesh: {publicKey: %q}", key)
		}
		b.WriteString("}\n")
	}
	return b.String() + "services: {vpn: {mesh: {" + rest + "}}}\n"
}

// member is a node of the mesh in a namespace, with an /etc/skep/mesh and a /run/wireguard of its own.
type member struct{ name, dir string }

func newMember(t *testing.T, c *schema.Cluster, name string) member {
	t.Helper()
	newHost(t, name, c.Node(name).Underlay.String())
	m := member{name, t.TempDir()}
	for _, dir := range []string{"mesh", "run"} {
		if err := os.Mkdir(filepath.Join(m.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { m.run(t, vpn.InstalledMeshCommand, "down") })
	return m
}

// run runs a command on the member.
func (m member) run(t *testing.T, command ...string) string {
	t.Helper()
	return sh(t, `ns=$1 dir=$2; shift 2
ip netns exec $ns unshare -m sh -ec 'mkdir -p /etc/skep/mesh /run/wireguard; mount --bind "$1/mesh" /etc/skep/mesh; mount --bind "$1/run" /run/wireguard; shift; "$@" 2>/dev/null' sh "$dir" "$@"`,
		append([]string{m.name, m.dir}, command...)...)
}

// configure puts in place what the runbook installs.
func (m member) configure(t *testing.T, c *schema.Cluster, conf []byte) {
	t.Helper()
	write(t, filepath.Join(m.dir, "mesh", filepath.Base(vpn.InstalledMesh)), conf, 0o644)
	write(t, filepath.Join(m.dir, "mesh", filepath.Base(vpn.MeshAddress)), []byte(c.Node(m.name).Address.String()+"\n"), 0o644)
}

func meshFile(t *testing.T, c *schema.Cluster, path string) []byte {
	t.Helper()
	files, err := vpn.Files(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Path == path {
			return f.Data
		}
	}
	t.Fatalf("no file %s", path)
	return nil
}

func needWireGuard(t *testing.T) {
	t.Helper()
	need(t)
	judge.Tool(t, "wg", "wireguard-tools")
	if exec.Command("ip", "link", "add", "skep-try", "type", "wireguard").Run() == nil {
		_ = exec.Command("ip", "link", "del", "skep-try").Run()
		return
	}
	judge.Tool(t, "wireguard-go", "wireguard-go")
}

// live brings up members that know each other, each with a key of its own.
func live(t *testing.T, names []string, rest string) (*schema.Cluster, map[string]member) {
	t.Helper()
	none := judge.Cluster(t, meshSpec(nil, rest))
	write(t, vpn.InstalledMeshCommand, meshFile(t, none, vpn.MeshCommand), 0o755)
	members, keys := map[string]member{}, map[string]string{}
	for _, name := range names {
		members[name] = newMember(t, none, name)
		keys[name] = strings.TrimSpace(members[name].run(t, vpn.InstalledMeshCommand, "key"))
		if again := strings.TrimSpace(members[name].run(t, vpn.InstalledMeshCommand, "key")); again != keys[name] {
			t.Fatalf("%s has another key the second time", name)
		}
	}
	c := judge.Cluster(t, meshSpec(keys, rest))
	for name, m := range members {
		path := vpn.Mesh
		if hub := c.Mesh().Hub; hub != "" && hub != name {
			path = vpn.Spoke
		}
		m.configure(t, c, meshFile(t, c, path))
		m.run(t, vpn.InstalledMeshCommand, "up")
	}
	return c, members
}

// reaches asks through the mesh until somebody answers. A first handshake may be lost, as when the other side's
// interface is not up yet, and WireGuard sends the next one after five seconds.
func reaches(t *testing.T, c *schema.Cluster, from, to string) {
	t.Helper()
	address := c.Node(to).Address.String() + ":80"
	var who string
	var err error
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); {
		if who, err = ask(t, from, address); err == nil {
			if who != c.Node(from).Address.String() {
				t.Fatalf("%s reaches %s as %s", from, to, who)
			}
			return
		}
	}
	t.Fatalf("%s does not reach %s through the mesh: %s, %v", from, to, who, err)
}

// serve answers on a node's address in the mesh.
func serve(t *testing.T, c *schema.Cluster, node string) {
	t.Helper()
	listeners(t, node, c.Node(node).Address.String()+":80")
}

// Two nodes talk through the mesh; a reload keeps the key, the tunnel and the connection.
func TestMeshLive(t *testing.T) {
	needWireGuard(t)
	c, members := live(t, []string{"m1", "w1"}, "")
	m1, device := members["m1"], c.Mesh().Device
	serve(t, c, "w1")
	reaches(t, c, "m1", "w1")
	if shakes := m1.run(t, "wg", "show", device, "latest-handshakes"); !strings.Contains(shakes, c.Node("w1").Mesh.PublicKey) || strings.HasSuffix(strings.TrimSpace(shakes), "\t0") {
		t.Errorf("no handshake: %s", shakes)
	}
	before := m1.run(t, "wg", "show", device, "public-key")
	conf := meshFile(t, c, vpn.Mesh)
	m1.configure(t, c, append(conf, "\n[Peer]\nPublicKey = HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\nAllowedIPs = 10.190.0.1/32\n"...))
	sent := m1.run(t, "wg", "show", device, "latest-handshakes")
	m1.run(t, vpn.InstalledMeshCommand, "up")
	if after := m1.run(t, "wg", "show", device, "public-key"); after != before || strings.Contains(after, "none") {
		t.Errorf("the key was %s, and is %s after a reload", before, after)
	}
	if peers := m1.run(t, "wg", "show", device, "peers"); strings.Count(peers, "=") != 2 {
		t.Errorf("the new peer is not there: %s", peers)
	}
	if _, err := ask(t, "m1", c.Node("w1").Address.String()+":80"); err != nil {
		t.Errorf("right after the reload: %v", err)
	}
	if now := m1.run(t, "wg", "show", device, "latest-handshakes"); !strings.Contains(now, strings.TrimSpace(sent)) {
		t.Errorf("the reload made a new handshake: %s, was %s", now, sent)
	}
	// An address of an earlier spec goes.
	on(t, "m1", "ip", "address", "add", "10.190.7.7/16", "dev", device)
	m1.run(t, vpn.InstalledMeshCommand, "up")
	if have := on(t, "m1", "ip", "-o", "-4", "address", "show", "dev", device); strings.Count(have, "inet ") != 1 || !strings.Contains(have, c.Node("m1").Address.String()+"/16") {
		t.Errorf("addresses: %s", have)
	}
	reaches(t, c, "m1", "w1")
	// What wg-quick's reload would do: the trap is real.
	m1.run(t, "wg", "syncconf", device, "/etc/skep/mesh/mesh.conf")
	if key := m1.run(t, "wg", "show", device, "public-key"); !strings.Contains(key, "none") {
		t.Errorf("a configuration without a key leaves %s: the care is needless", key)
	}
}

// Full packets of the mesh leave as one packet of the link each. With the link's own MTU they would not.
func TestMeshMTU(t *testing.T) {
	needWireGuard(t)
	c, members := live(t, []string{"m1", "w1"}, "")
	serve(t, c, "m1")
	serve(t, c, "w1")
	device := c.Mesh().Device
	fragments := func() string {
		return strings.TrimSpace(on(t, "m1", "awk", `$1 == "Ip:" && $2 ~ /^[0-9]/ { print $20 }`, "/proc/net/snmp"))
	}
	reaches(t, c, "m1", "w1") // with enough bytes to fill many packets
	reaches(t, c, "w1", "m1")
	if link := members["m1"].run(t, "ip", "link", "show", device); !strings.Contains(link, fmt.Sprintf("mtu %d ", c.OverlayMTU())) {
		t.Errorf("want mtu %d: %s", c.OverlayMTU(), link)
	}
	if n := fragments(); n != "0" {
		t.Errorf("packets left m1 in %s fragments", n)
	}
	for name := range members {
		on(t, name, "ip", "link", "set", device, "mtu", fmt.Sprint(c.Network.MTU))
	}
	reaches(t, c, "w1", "m1")
	if n := fragments(); n == "0" {
		t.Error("a larger MTU makes no fragments: the test sees none")
	}
}

// A node gets another key: until the others know it, the old one holds the tunnel, over a restart as well.
func TestMeshRotation(t *testing.T) {
	needWireGuard(t)
	c, members := live(t, []string{"m1", "w1"}, "")
	m1, w1 := members["m1"], members["w1"]
	serve(t, c, "m1")
	serve(t, c, "w1")
	reaches(t, c, "m1", "w1")
	old := c.Node("w1").Mesh.PublicKey
	next := strings.TrimSpace(w1.run(t, vpn.InstalledMeshCommand, "rotate"))
	if next == old || strings.TrimSpace(w1.run(t, vpn.InstalledMeshCommand, "key")) != next {
		t.Fatalf("the next key is %s, the old one %s", next, old)
	}
	for _, key := range []string{old, next} {
		w1.run(t, vpn.InstalledMeshCommand, "has", key)
	}
	w1.run(t, vpn.InstalledMeshCommand, "take", old) // what the spec has: nothing happens
	w1.run(t, vpn.InstalledMeshCommand, "down")
	w1.run(t, vpn.InstalledMeshCommand, "up")
	reaches(t, c, "w1", "m1") // who was away asks first: the other one would wait for 15 seconds before it asks anew
	reaches(t, c, "m1", "w1")

	rotated := judge.Cluster(t, meshSpec(map[string]string{"m1": c.Node("m1").Mesh.PublicKey, "w1": next}, ""))
	w1.run(t, vpn.InstalledMeshCommand, "take", next)
	for _, m := range []member{m1, w1} {
		m.configure(t, rotated, meshFile(t, rotated, vpn.Mesh))
		m.run(t, vpn.InstalledMeshCommand, "up")
	}
	if key := strings.TrimSpace(w1.run(t, "wg", "show", c.Mesh().Device, "public-key")); key != next {
		t.Errorf("the tunnel has the key %s, want %s", key, next)
	}
	if peers := m1.run(t, "wg", "show", c.Mesh().Device, "peers"); strings.Contains(peers, old) {
		t.Errorf("the old key still opens: %s", peers)
	}
	reaches(t, rotated, "m1", "w1")
	entries, err := os.ReadDir(filepath.Join(w1.dir, "mesh"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), "private.key") && (info.Mode().Perm() != 0o600 || e.Name() != "private.key") {
			t.Errorf("%s is left, %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// Members talk through the hub, past a kernel that forwards nothing else.
func TestMeshHub(t *testing.T) {
	needWireGuard(t)
	c, _ := live(t, []string{"m1", "w1", "w2"}, "hub: m1")
	on(t, "m1", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP")
	serve(t, c, "w2")
	reaches(t, c, "w1", "w2")
}

// A machine elsewhere joins with its file and wg-quick(8): what the file names goes through the tunnel, nothing else, and
// the private key comes from beside it.
func TestMeshPeer(t *testing.T) {
	needWireGuard(t)
	judge.Tool(t, "wg-quick", "wireguard-tools")
	for name, rest := range map[string]string{"full": "", "hub": "hub: m1, "} {
		t.Run(name, func(t *testing.T) { joins(t, rest) })
	}
}

func joins(t *testing.T, rest string) {
	newHost(t, "laptop", "198.18.0.9")
	dir := t.TempDir()
	public := strings.TrimSpace(sh(t, `umask 077; wg genkey >"$1/skep.key"; wg pubkey <"$1/skep.key"`, dir))
	c, _ := live(t, []string{"m1", "w1"}, fmt.Sprintf("%speers: {laptop: {publicKey: %q}}", rest, public))
	on(t, "m1", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	write(t, filepath.Join(dir, "skep.conf"), meshFile(t, c, vpn.Peers+"laptop.conf"), 0o600)
	// This laptop's /etc/wireguard is the test's.
	const quick = `ip netns exec laptop unshare -m sh -ec 'mkdir -p /etc/wireguard /run/wireguard; mount --bind "$1" /etc/wireguard; mount --bind "$1" /run/wireguard; wg-quick "$2" skep' sh "$1" "$2"`
	sh(t, quick, dir, "up")
	t.Cleanup(func() { sh(t, quick, dir, "down") })
	seen := c.Mesh().OfPeer(c.Mesh().Peers[0]).String()
	for _, node := range []string{"m1", "w1"} {
		serve(t, c, node)
		var who string
		err := errors.New("nobody asked")
		for end := time.Now().Add(40 * time.Second); err != nil && time.Now().Before(end); {
			who, err = ask(t, "laptop", c.Node(node).Address.String()+":80")
		}
		if who != seen {
			t.Errorf("%s sees the laptop as %q, want %s (%v)", node, who, seen, err)
		}
	}
	if way := on(t, "laptop", "ip", "route", "get", "203.0.113.1"); strings.Contains(way, "skep") {
		t.Errorf("the rest of the world goes through the tunnel: %s", way)
	}
}

// systemd reads the unit beside the engine's, and finds no circle.
func TestMeshUnit(t *testing.T) {
	analyze := judge.Tool(t, "systemd-analyze", "systemd")
	root := t.TempDir()
	for name, text := range map[string]string{
		"docker.service":        "[Unit]\nAfter=network-online.target\nWants=network-online.target\n[Service]\nExecStart=/usr/bin/true\n",
		"nfs-server.service":    "[Unit]\nAfter=network-online.target\n[Service]\nExecStart=/usr/bin/true\n",
		"remote-fs-pre.target":  "[Unit]\nDescription=stand-in\n",
		"remote-fs.target":      "[Unit]\nAfter=remote-fs-pre.target\nDescription=stand-in\n",
		"network-online.target": "[Unit]\nAfter=network.target\nDescription=stand-in\n",
		"network.target":        "[Unit]\nDescription=stand-in\n",
		"sysinit.target":        "[Unit]\nDescription=stand-in\n",
		"basic.target":          "[Unit]\nDescription=stand-in\n",
		"shutdown.target":       "[Unit]\nDescription=stand-in\n",
		"multi-user.target":     "[Unit]\nRequires=basic.target\nDescription=stand-in\n",
	} {
		write(t, filepath.Join(root, "lib/systemd/system", name), []byte(text), 0o644)
	}
	c := meshes(t)[0]
	write(t, filepath.Join(root, "usr/bin/true"), []byte("#!/bin/sh\n"), 0o755)
	write(t, filepath.Join(root, vpn.InstalledMeshUnit), meshFile(t, c, vpn.MeshUnit), 0o644)
	verify := func() string {
		out, _ := exec.Command(analyze, "verify", "--man=no", "--root="+root, vpn.MeshUnitName, "docker.service").CombinedOutput()
		return string(out)
	}
	if out := verify(); !strings.Contains(out, "skep-mesh is not executable") {
		t.Errorf("without the command: %s", out)
	}
	write(t, filepath.Join(root, vpn.InstalledMeshCommand), meshFile(t, c, vpn.MeshCommand), 0o755)
	if out := verify(); out != "" {
		t.Errorf("with the command: %s", out)
	}
}

// wg(8) takes every configuration of every bundle, and of a cluster with a hub.
func TestMeshSyntax(t *testing.T) {
	needWireGuard(t)
	keys := map[string]string{"m1": "QuGXgTPbVEy/bVkuXhl8ZTAH9/rgW6NvqsxTRgdXtjU=", "w2": "XgF7bwmYWcKuvNKGfPhqWdYfRTiWDIhcVV+9KIbShCo="}
	spec := "hub: m1, port: 4500, subnet: 10.9.0.0/24, peers: {alice: {publicKey: HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=}}"
	var all []artifact.File
	for _, c := range append(meshes(t), judge.Cluster(t, meshSpec(keys, spec))) {
		files, err := vpn.Files(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, files...)
	}
	_, members := live(t, []string{"m1"}, "")
	checked := 0
	for i, f := range all {
		if !strings.HasSuffix(f.Path, ".conf") || f.Path == vpn.Server {
			continue
		}
		// What only wg-quick(8) knows is not for wg(8).
		var lines []string
		for line := range strings.Lines(string(f.Data)) {
			if word, _, _ := strings.Cut(line, " "); word != "Address" && word != "MTU" && word != "PostUp" {
				lines = append(lines, line)
			}
		}
		name := fmt.Sprintf("try%d.conf", i)
		write(t, filepath.Join(members["m1"].dir, "mesh", name), []byte(strings.Join(lines, "")), 0o644)
		members["m1"].run(t, "wg", "setconf", "skep-mesh", "/etc/skep/mesh/"+name)
		checked++
	}
	if checked < 6 {
		t.Errorf("only %d configurations", checked)
	}
}

// meshes are the examples that have one.
func meshes(t *testing.T) []*schema.Cluster {
	t.Helper()
	var out []*schema.Cluster
	for _, b := range judge.Bundles(t) {
		if c := judge.Spec(t, b); c.Mesh() != nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatal("no example has a mesh")
	}
	return out
}
