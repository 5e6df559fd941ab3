package firewall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
	"skep.dev/schema/spec"
)

// devices are where packets arrive: the uplink, bridges of containers, a mesh, a second link that is the way to nobody, and
// a bridge of guests.
var devices = []string{"eth0", "docker0", "docker_gwbridge", "br-0123456789ab", meshLink, secondLink, guestLink}

const (
	secondLink = "eth1"
	meshLink   = "skep-mesh"
	guestLink  = "virbr0"
)

// guests are behind guestLink, and nowhere else; linkOnly are neighbours on every link.
var (
	guests   = []netip.Prefix{netip.MustParsePrefix("192.168.122.0/24"), netip.MustParsePrefix("fd00:122::/64")}
	linkOnly = netip.MustParsePrefix("fe80::/64")
)

// anyLocal are networks all of whose addresses are the node's own.
var anyLocal = []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("2001:db8:ffff::/48")}

// packetsPerRuleset times the rulesets below are what both judges see.
const packetsPerRuleset = 3000

// TestSimulator sends random packets through the kernel's rules and through the simulator, which has to agree about each.
// Source addresses are forged: a table behind skep's rules notes what gets there, and drops it.
func TestSimulator(t *testing.T) {
	kernel(t)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SKEP_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("seed %d: SKEP_SEED=%d runs the same packets again", seed, seed)
	l := newLane(t)
	all := specs(t)
	odd, _, err := spec.Load("testdata/odd/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all["odd"] = odd
	sent := 0
	for i, name := range slices.Sorted(maps.Keys(all)) {
		for _, backend := range backends() {
			c := *all[name]
			c.Firewall.Backend = backend
			sim, err := firewall.Simulate(&c, files(t, &c, backend))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for j, class := range firewall.Classes(&c) {
				d := &dice{Rand: rand.New(rand.NewPCG(seed, uint64(i*100+j))), cluster: &c, node: c.Node(class.Nodes[0])}
				d.fill()
				t.Run(strings.Join([]string{name, class.Name, backend}, "/"), func(t *testing.T) {
					sent += l.compare(t, sim, class, d)
				})
			}
		}
	}
	t.Logf("%d packets", sent)
}

// lane is a node whose interfaces all end in one other namespace.
type lane struct {
	node, out string
	dir       string
	macs      map[string]string // of the node's interfaces
}

func newLane(t *testing.T) *lane {
	t.Helper()
	l := &lane{node: "lane-node", out: "lane-out", dir: t.TempDir(), macs: map[string]string{}}
	t.Cleanup(func() { sh(t, `ip netns del "$1"; ip netns del "$2"`, l.node, l.out) })
	sh(t, `ip netns add "$1"; ip netns add "$2"; ip -n "$1" link set lo up
ip netns exec "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
ip -n "$1" route add local `+anyLocal[0].String()+` dev lo; ip -n "$1" -6 route add local `+anyLocal[1].String()+` dev lo`, l.node, l.out)
	for _, device := range devices {
		sh(t, `ip link add "$3" netns "$1" type veth peer name "$3" netns "$2"; ip -n "$1" link set "$3" up; ip -n "$2" link set "$3" up`, l.node, l.out, device)
		l.macs[device] = strings.TrimSpace(sh(t, `ip netns exec "$1" cat "/sys/class/net/$2/address"`, l.node, device))
	}
	sh(t, `ip -n "$1" route add default dev eth0; ip -n "$1" -6 route add default dev eth0
ip -n "$1" route add "$3" dev "$2"; ip -n "$1" -6 route add "$4" dev "$2"`, l.node, guestLink, guests[0].String(), guests[1].String())
	return l
}

// probe notes what comes out of skep's rules, and lets nothing further.
const probe4and6 = `table inet probe {
	set seen4 {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
		flags dynamic
		size 65535
	}
	set seen6 {
		type ipv6_addr . ipv6_addr . inet_proto . inet_service
		flags dynamic
		size 65535
	}
	chain behind {
		type filter hook prerouting priority -149; policy drop;
		add @seen4 { ip saddr . ip daddr . meta l4proto . th sport }
		add @seen6 { ip6 saddr . ip6 daddr . meta l4proto . th sport }
	}
}
`

// load replaces whatever rules the node has by those of the class.
func (l *lane) load(t *testing.T, c *schema.Cluster, class firewall.Class, node schema.Node) {
	t.Helper()
	script := "ip netns exec \"$1\" nft flush ruleset\nip -n \"$1\" addr flush dev lo scope global\n"
	for _, a := range []netip.Addr{node.Address, node.Public, node.Underlay} {
		if a.IsValid() {
			script += fmt.Sprintf("ip -n \"$1\" addr replace %s dev lo\n", a)
		}
	}
	script += loading(t, c, class, l.dir)
	write(t, filepath.Join(l.dir, "probe.nft"), []byte(probe4and6))
	sh(t, script+"ip netns exec \"$1\" nft -f "+filepath.Join(l.dir, "probe.nft"), l.node)
}

// loading returns a script that loads the rules of a class in the network namespace "$1".
func loading(t *testing.T, c *schema.Cluster, class firewall.Class, dir string) string {
	t.Helper()
	script := ""
	for _, f := range files(t, c, c.Firewall.Backend) {
		if !slices.Contains(class.Files(c), f.Path) {
			continue
		}
		path := filepath.Join(dir, filepath.Base(f.Path))
		write(t, path, f.Data)
		script += "file=" + path + "\n" + toolFor(t, path).load + "\n"
	}
	return script
}

// compare sends packets and reports each about which the judges differ.
func (l *lane) compare(t *testing.T, sim *proof.Simulator, class firewall.Class, d *dice) int {
	l.load(t, d.cluster, class, d.node)
	packets := map[mark]proof.Packet{}
	for range packetsPerRuleset {
		p := d.packet()
		packets[markOf(p)] = p
	}
	passed := map[mark]bool{}
	missing := packets
	for range 3 { // a queue may overflow: what should have come is sent again
		l.send(t, missing)
		passed = l.passed(t)
		missing = map[mark]proof.Packet{}
		for m, p := range packets {
			if !passed[m] && sim.Decide(d.node.Name, p).Allow {
				missing[m] = p
			}
		}
		if len(missing) == 0 {
			break
		}
	}
	allowed, wrong := 0, 0
	for m, p := range packets {
		v := sim.Decide(d.node.Name, p)
		if v.Allow {
			allowed++
		}
		if v.Allow != passed[m] {
			if wrong++; wrong <= 5 {
				t.Errorf("%+v: the kernel says %v, the simulator %s", p, passed[m], v)
			}
		}
	}
	if wrong > 5 {
		t.Errorf("and %d more", wrong-5)
	}
	if allowed < len(packets)/50 || allowed > len(packets)*49/50 {
		t.Errorf("%d of %d packets pass: the dice are loaded", allowed, len(packets))
	}
	return len(packets)
}

func (l *lane) send(t *testing.T, packets map[mark]proof.Packet) {
	t.Helper()
	byDevice := map[string]*burst{}
	for _, p := range packets {
		device := p.Device
		if device == "" {
			device = devices[0]
		}
		if byDevice[device] == nil {
			byDevice[device] = &burst{Device: device, To: l.macs[device]}
		}
		byDevice[device].Frames = append(byDevice[device].Frames, datagram(p))
	}
	in, err := json.Marshal(slices.Collect(maps.Values(byDevice)))
	if err != nil {
		t.Fatal(err)
	}
	cmd := agent(t, l.out, "inject")
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// passed reads what the probe has seen.
func (l *lane) passed(t *testing.T) map[mark]bool {
	t.Helper()
	out := map[mark]bool{}
	for _, set := range []string{"seen4", "seen6"} {
		var doc struct {
			Nftables []struct {
				Set struct {
					Elem []struct {
						Concat []json.RawMessage `json:"concat"`
					} `json:"elem"`
				} `json:"set"`
			} `json:"nftables"`
		}
		text := sh(t, `ip netns exec "$1" nft -j -n list set inet probe "$2"`, l.node, set)
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%v: %.200s", err, text)
		}
		for _, n := range doc.Nftables {
			for _, e := range n.Set.Elem {
				out[readMark(t, e.Concat)] = true
			}
		}
	}
	return out
}

func readMark(t *testing.T, parts []json.RawMessage) mark {
	t.Helper()
	var m mark
	for i, into := range []any{&m.src, &m.dst, &m.proto, &m.first} {
		if len(parts) != 4 {
			t.Fatalf("an element of %d parts", len(parts))
		}
		if err := json.Unmarshal(parts[i], into); err != nil {
			t.Fatalf("%v: %s", err, parts[i])
		}
	}
	return m
}
