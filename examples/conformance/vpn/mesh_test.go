package vpn

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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

// Two nodes talk through the mesh, with packets as large as it carries; a reload keeps the key, the tunnel and the connection.
func TestMeshLive(t *testing.T) {
	needWireGuard(t)
	c, members := live(t, []string{"m1", "w1"}, "")
	m1, w1 := members["m1"], c.Node("w1").Address.String()
	listeners(t, "w1", w1+":80")
	if who, err := ask(t, "m1", w1+":80"); err != nil || who != c.Node("m1").Address.String() {
		t.Fatalf("through the mesh: %s, %v", who, err)
	}
	device := c.Mesh().Device
	if shakes := m1.run(t, "wg", "show", device, "latest-handshakes"); !strings.Contains(shakes, c.Node("w1").Mesh.PublicKey) || strings.HasSuffix(strings.TrimSpace(shakes), "\t0") {
		t.Errorf("no handshake: %s", shakes)
	}
	if link := m1.run(t, "ip", "link", "show", device); !strings.Contains(link, "mtu 1420 ") {
		t.Errorf("the MTU is wrong: %s", link)
	}
	// A packet that fills the mesh's MTU fits the link, and one byte more does not.
	full := strings.Repeat("x", 1420-28)
	script := `exec 3<>"/dev/udp/$1/9"; printf %s "$2" >&3`
	on(t, "m1", "sh", "-c", "echo 2 >/proc/sys/net/ipv4/ip_no_pmtu_disc")
	on(t, "m1", "bash", "-ec", script, "bash", w1, full)

	before := m1.run(t, "wg", "show", device, "public-key")
	conf := meshFile(t, c, vpn.Mesh)
	m1.configure(t, c, append(conf, "\n[Peer]\nPublicKey = HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=\nAllowedIPs = 10.190.0.1/32\n"...))
	m1.run(t, vpn.InstalledMeshCommand, "up")
	if after := m1.run(t, "wg", "show", device, "public-key"); after != before || strings.Contains(after, "none") {
		t.Errorf("the key was %s, and is %s after a reload", before, after)
	}
	if peers := m1.run(t, "wg", "show", device, "peers"); strings.Count(peers, "=") != 2 {
		t.Errorf("the new peer is not there: %s", peers)
	}
	if _, err := ask(t, "m1", w1+":80"); err != nil {
		t.Errorf("after the reload: %v", err)
	}
	// What wg-quick's reload would do: the trap is real.
	m1.run(t, "wg", "syncconf", device, "/etc/skep/mesh/mesh.conf")
	if key := m1.run(t, "wg", "show", device, "public-key"); !strings.Contains(key, "none") {
		t.Errorf("a configuration without a key leaves %s: the care is needless", key)
	}
}

// Members talk through the hub.
func TestMeshHub(t *testing.T) {
	needWireGuard(t)
	c, _ := live(t, []string{"m1", "w1", "w2"}, "hub: m1")
	on(t, "m1", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP")
	w2 := c.Node("w2").Address.String()
	listeners(t, "w2", w2+":80")
	if who, err := ask(t, "w1", w2+":80"); err != nil || who != c.Node("w1").Address.String() {
		t.Errorf("through the hub: %s, %v", who, err)
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
