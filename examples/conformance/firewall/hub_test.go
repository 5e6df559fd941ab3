package firewall

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// TestHub puts a stranger beside the hub of a mesh: a plain packet that claims to be a node's, or a stranger's own, never
// comes out of a tunnel, while nodes reach each other through the hub.
func TestHub(t *testing.T) {
	kernel(t)
	judge.Tool(t, "wg", "wireguard-tools")
	if exec.Command("ip", "link", "add", "skep-try", "type", "wireguard").Run() != nil {
		judge.Tool(t, "wireguard-go", "wireguard-go")
	} else {
		sh(t, `ip link del skep-try`)
	}
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["everything"]
			c.Firewall.Backend = backend
			h := newHub(t, &c)
			for _, rules := range []string{"open", "closed"} {
				h.site.t = t
				h.site.open(h.hub)
				h.site.load(h.spoke)
				if rules == "closed" {
					h.site.load(h.hub)
				}
				h.attack(t, rules, rules == "open")
			}
		})
	}
}

// hub is a mesh of three nodes, each a namespace on one link, and a stranger on that link.
type hub struct {
	site              *site
	hub, spoke, other schema.Node
}

func newHub(t *testing.T, c *schema.Cluster) *hub {
	t.Helper()
	m := c.Mesh()
	h := &hub{site: &site{t: t, cluster: c, dir: t.TempDir()}, hub: c.Node(m.Hub)}
	for _, n := range c.Nodes {
		switch {
		case n.Name == m.Hub:
		case n.Role == "worker":
			h.spoke = n
		default:
			h.other = n
		}
	}
	t.Cleanup(func() {
		sh(t, `for n in $(ip netns list | sed -n "s/^\(t-[a-z0-9]*\).*/\1/p"); do for p in $(ip netns pids $n); do kill $p; done; ip netns del $n; done`)
	})
	script := `
ip netns add t-wire
ip -n t-wire link add public type bridge mcast_snooping 0
ip -n t-wire link set public up
plug() {
	ip netns add t-$1
	ip netns exec t-$1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n t-$1 link set lo up
	ip link add public netns t-$1 type veth peer name p-$1 netns t-wire
	ip -n t-wire link set p-$1 master public up
	ip -n t-$1 addr add $2/24 dev public
	ip -n t-$1 link set public up
}
member() {
	plug $1 $2
	ip netns exec t-$1 unshare -m sh -ec 'mkdir -p /run/wireguard; mount -t tmpfs tmpfs /run/wireguard
		ip link add "$1" type wireguard 2>/dev/null || wireguard-go "$1" >/dev/null 2>&1
		wg set "$1" listen-port "$2" private-key "$3"; device=$1; shift 3
		while [ $# -gt 0 ]; do wg set "$device" peer "$(cat "$1.pub")" allowed-ips "$2" endpoint "$3"; shift 3; done' sh "$4" "$5" "$6/$1" $7
	ip -n t-$1 addr add $3/$8 dev $4
	ip -n t-$1 link set $4 up
}
for key in $1; do wg genkey | tee "$2/$key" | wg pubkey > "$2/$key.pub"; chmod 600 "$2/$key"; done
`
	bits := fmt.Sprint(m.Subnet.Bits())
	var names, atHub []string
	for _, n := range []schema.Node{h.spoke, h.other} {
		names = append(names, n.Name)
		atHub = append(atHub, fmt.Sprintf("%s/%s %s/32 %s:%d", h.site.dir, n.Name, n.Address, n.Underlay, m.Port))
		script += fmt.Sprintf("member %s %s %s %s %d %s '%s/%s %s %s:%d' %s\n", n.Name, n.Underlay, n.Address, m.Device, m.Port, h.site.dir,
			h.site.dir, m.Hub, m.Subnet, h.hub.Underlay, m.Port, bits)
	}
	script += fmt.Sprintf("member %s %s %s %s %d %s '%s' %s\nplug stranger %s\n", m.Hub, h.hub.Underlay, h.hub.Address, m.Device, m.Port, h.site.dir,
		strings.Join(atHub, " "), bits, netip.PrefixFrom(h.hub.Underlay, 24).Masked().Addr().Next())
	sh(t, script, strings.Join(append(names, m.Hub), " "), h.site.dir)
	return h
}

// attack sends overlay data for a spoke through the hub; without rules there each packet has to come out, or the test
// would prove nothing.
func (h *hub) attack(t *testing.T, rules string, works bool) {
	t.Helper()
	device, spoke := h.site.cluster.Mesh().Device, "t-"+h.spoke.Name
	data := proof.Packet{Src: h.other.Address, Dst: h.spoke.Address, Proto: "udp", SrcPort: 40000, Port: h.site.cluster.Engine.DataPathPort}
	came(t, spoke, device)
	for _, claim := range []struct {
		who string
		src netip.Addr
	}{{"a node in the mesh", h.other.Address}, {"the hub's own", h.hub.Address}, {"a node on the link", h.other.Underlay}} {
		p := data
		p.Src, p.SrcPort = claim.src, data.SrcPort+1
		h.site.send("stranger", "public", h.hub.Name, "public", p)
		want := "0"
		if works && claim.src == h.other.Address {
			want = "1"
		}
		if got := arrived(t, spoke, device); got != want {
			t.Errorf("%s: %s packets of a stranger with the address of %s came out of the tunnel, want %s", rules, got, claim.who, want)
		}
	}
	sh(t, `ip netns exec t-$1 bash -c 'echo -n x > /dev/udp/$0/$1' $2 $3`, h.other.Name, h.spoke.Address.String(), fmt.Sprint(data.Port))
	if got := arrived(t, spoke, device); got != "1" {
		t.Errorf("%s: %s packets of a node came through the hub, want 1", rules, got)
	}
}

// arrived waits a moment for packets on their way through two programs.
func arrived(t *testing.T, ns, link string) string {
	t.Helper()
	got := "0"
	for range 20 {
		if got = came(t, ns, link); got != "0" {
			return got
		}
		time.Sleep(20 * time.Millisecond)
	}
	return got
}
