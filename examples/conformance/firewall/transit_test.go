package firewall

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
	"skep.dev/schema"
)

// site is a cluster's public and private network: m1 and m2 are in both, "stranger" in the public one, "behind" in the
// private one with m1 as its way out, and "task" is a container of m1. Every namespace has rp_filter off and forwards, as a
// node does after a reboot (dockerd sets the policy of FORWARD only where it turned forwarding on itself).
type site struct {
	t       *testing.T
	cluster *schema.Cluster
	dir     string
	m1, m2  schema.Node
}

const (
	stranger = "198.51.100.66"
	behind   = "10.20.0.99"
	beyond   = "192.168.122.5" // a guest of m1
)

const siteTopology = `
new() {
	ip netns add t-$1
	ip netns exec t-$1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.forwarding=1
	ip -n t-$1 link set lo up
}
new wire
for link in public private; do
	ip -n t-wire link add $link type bridge mcast_snooping 0
	ip -n t-wire link set $link up
done
plug() {
	ip link add $2 netns t-$1 type veth peer name $2-$1 netns t-wire
	ip -n t-wire link set $2-$1 master $2 up
	ip -n t-$1 addr add $3/24 dev $2
	ip -n t-$1 link set $2 up
}
for name in m1 m2 stranger behind task guest; do new $name; done
plug m1 public $1; plug m1 private $2
plug m2 public $3; plug m2 private $4
plug stranger public $5; plug behind private $6
ip -n t-stranger route add default via $1
ip -n t-behind route add default via $2
bridge() {
	ip -n t-m1 link add $1 type bridge
	ip -n t-m1 addr add $2/24 dev $1
	ip -n t-m1 link set $1 up
	ip link add eth0 netns t-$3 type veth peer name v-$3 netns t-m1
	ip -n t-m1 link set v-$3 master $1 up
	ip -n t-$3 addr add $4/24 dev eth0
	ip -n t-$3 link set eth0 up
	ip -n t-$3 route add default via $2
}
bridge docker_gwbridge 172.20.1.1 task 172.20.1.2
bridge virbr0 192.168.122.1 guest $7
`

func newSite(t *testing.T, c *schema.Cluster) *site {
	t.Helper()
	s := &site{t: t, cluster: c, dir: t.TempDir(), m1: c.Node("m1"), m2: c.Node("m2")}
	t.Cleanup(func() {
		sh(t, `for n in $(ip netns list | sed -n "s/^\(t-[a-z0-9]*\).*/\1/p"); do ip netns del $n; done`)
	})
	sh(t, siteTopology, s.m1.Public.String(), s.m1.Address.String(), s.m2.Public.String(), s.m2.Address.String(), stranger, behind, beyond)
	return s
}

// load gives a node the rules of its class, and a counter behind them for each way that overlay traffic may come.
func (s *site) load(node schema.Node) {
	s.t.Helper()
	classes := firewall.Classes(s.cluster)
	class := classes[slices.IndexFunc(classes, func(c firewall.Class) bool { return slices.Contains(c.Nodes, node.Name) })]
	s.open(node)
	sh(s.t, loading(s.t, s.cluster, class, s.dir), "t-"+node.Name)
}

// open takes the node's rules away, all but the counters.
func (s *site) open(node schema.Node) {
	s.t.Helper()
	sh(s.t, `ip netns exec $1 nft flush ruleset; ip netns exec $1 nft -f - <<'END'
table inet probe {
	counter public { }
	counter private { }
	counter docker_gwbridge { }
	counter skep-mesh { }
	chain behind {
		type filter hook prerouting priority -149;
		iifname public udp dport { 4789, 4790, 7946 } counter name public
		iifname private udp dport { 4789, 4790, 7946 } counter name private
		iifname docker_gwbridge udp dport { 4789, 4790, 7946 } counter name docker_gwbridge
		iifname skep-mesh udp dport { 4789, 4790, 7946 } counter name skep-mesh
	}
}
END`, "t-"+node.Name)
}

// came returns how many packets of overlay traffic the node let in from a link.
func came(t *testing.T, ns, link string) string {
	t.Helper()
	return strings.TrimSpace(sh(t, `ip netns exec $1 nft reset counter inet probe $2 | sed -n 's/.*packets \([0-9]*\) .*/\1/p'`, ns, link))
}

// send puts a packet on a link of a namespace, addressed to an interface of another.
func (s *site) send(from, link, to, toLink string, p proof.Packet) {
	inject(s.t, "t-"+from, link, "t-"+to, toLink, p)
}

func inject(t *testing.T, ns, link, to, toLink string, p proof.Packet) {
	t.Helper()
	mac := strings.TrimSpace(sh(t, `ip netns exec "$1" cat "/sys/class/net/$2/address"`, to, toLink))
	in, err := json.Marshal([]burst{{Device: link, To: mac, Frames: [][]byte{datagram(p)}}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := agent(t, ns, "inject")
	cmd.Stdin = strings.NewReader(string(in))
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestTransit attacks a node from its neighbourhood: nothing is reached through it, and no node's address is believed on
// another way than its own, also within a flow that is established.
func TestTransit(t *testing.T) {
	kernel(t)
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["production"]
			c.Firewall.Backend = backend
			s := newSite(t, &c)
			s.load(s.m2)
			listen(t, "t-behind", plan{"behind", []string{behind}, map[string][]int{"tcp": {5432}}})
			listen(t, "t-m1", plan{"m1", []string{s.m1.Address.String()}, map[string][]int{"udp": {7946}}})
			for _, rules := range []string{"open", "closed"} {
				t.Run(rules, func(t *testing.T) {
					s.t = t
					s.open(s.m1)
					if rules == "closed" {
						s.load(s.m1)
					}
					s.attack(rules == "open")
				})
			}
		})
	}
}

// attack tries every way; without rules on m1 each has to work, or the test would prove nothing.
func (s *site) attack(works bool) {
	s.t.Helper()
	w1 := s.cluster.Node("w1")
	count := map[bool]string{true: "1", false: "0"}[works]
	for _, port := range []uint16{s.cluster.Engine.DataPathPort, s.cluster.Engine.Ports.Gossip} {
		came(s.t, "t-m2", "private")
		s.send("stranger", "public", "m1", "public", proof.Packet{Src: w1.Address, Dst: s.m2.Address, Proto: "udp", SrcPort: 40000, Port: port})
		if got := came(s.t, "t-m2", "private"); got != count {
			s.t.Errorf("%s packets to port %d of m2 came through m1 with the address of w1, want %s", got, port, count)
		}
	}
	want := map[bool]string{true: "behind", false: ""}[works]
	if who := answers(s.t, "t-stranger", []probe{{"tcp", behind, 5432}}, want)[0]; who != want {
		s.t.Errorf("a machine behind m1 was answered by %q, want %q", who, want)
	}
	s.established(count)
}

// established forges packets of a flow between m1 and m2, whose ports are known at both ends.
func (s *site) established(count string) {
	s.t.Helper()
	gossip := s.cluster.Engine.Ports.Gossip
	flow := proof.Packet{Src: s.m2.Address, Dst: s.m1.Address, Proto: "udp", SrcPort: gossip, Port: gossip}
	s.send("m2", "private", "m1", "private", flow)
	if got := came(s.t, "t-m1", "private"); got != "1" {
		s.t.Fatalf("%s packets of m2 came by their own way, want 1", got)
	}
	for range 50 { // until m1 has answered: then the flow is established
		if came(s.t, "t-m2", "private") != "0" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	came(s.t, "t-m1", "public") // the packets in transit
	s.send("stranger", "public", "m1", "public", flow)
	if got := came(s.t, "t-m1", "public"); got != count {
		s.t.Errorf("%s packets of the flow came from the public network, want %s", got, count)
	}
	s.send("task", "eth0", "m1", "docker_gwbridge", flow)
	if got := came(s.t, "t-m1", "docker_gwbridge"); got != count {
		s.t.Errorf("%s packets of the flow came from a container, want %s", got, count)
	}
}

// TestForward passes on what the spec names, for the guests of a node, and nothing else.
func TestForward(t *testing.T) {
	kernel(t)
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["production"]
			c.Firewall.Backend = backend
			c.Firewall.Forward = []schema.Forward{
				{From: "192.168.122.0/24", To: netip.MustParsePrefix("0.0.0.0/0"), On: []string{"m1"}, Why: "guests"},
			}
			s := newSite(t, &c)
			sh(t, `ip -n t-stranger route replace default via $1`, s.m1.Public.String())
			ports := map[string][]int{"tcp": {443, 2377}, "udp": {53, 7946}}
			listen(t, "t-stranger", plan{"stranger", []string{stranger}, ports})
			listen(t, "t-m2", plan{"m2", []string{s.m2.Address.String()}, ports})
			listen(t, "t-guest", plan{"guest", []string{beyond}, ports})
			sh(t, `ip -n t-m2 route add 192.168.122.0/24 via $1`, s.m1.Address.String())
			s.load(s.m1)
			for from, want := range map[string]map[probe]string{
				"guest":    {{"udp", stranger, 53}: "stranger", {"tcp", stranger, 443}: "stranger", {"tcp", s.m2.Address.String(), 2377}: "", {"udp", s.m2.Address.String(), 7946}: "", {"tcp", s.m2.Address.String(), 443}: "m2"},
				"stranger": {{"tcp", beyond, 443}: ""},
				"m2":       {{"tcp", beyond, 443}: ""},
				"behind":   {{"tcp", stranger, 443}: ""},
			} {
				for p, who := range want {
					if got := answers(t, "t-"+from, []probe{p}, who)[0]; got != who {
						t.Errorf("%s -> %s: answered by %q, want %q", from, p, got, who)
					}
				}
			}
			// The address of a guest proves nothing on another link.
			forged := proof.Packet{Src: netip.MustParseAddr(beyond), Dst: netip.MustParseAddr(behind), Proto: "udp", SrcPort: 40000, Port: 7946}
			sh(t, `ip netns exec t-behind nft -f - <<'END'
table inet probe { counter private { }
	chain behind { type filter hook prerouting priority -149; udp dport 7946 counter name private; }
}
END`)
			s.send("guest", "eth0", "m1", "virbr0", forged)
			if got := came(t, "t-behind", "private"); got != "1" {
				t.Errorf("%s packets of the guest came, want 1", got)
			}
			s.send("stranger", "public", "m1", "public", forged)
			if got := came(t, "t-behind", "private"); got != "0" {
				t.Errorf("%s packets with the guest's address came from the public network, want 0", got)
			}
		})
	}
}
