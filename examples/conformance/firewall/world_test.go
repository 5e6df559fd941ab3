package firewall

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/schema"
)

// world is one node with its neighbours, every one a network namespace on the same link: "node" is under test, "peer" is
// another node, "foreign" is a machine that is in no zone, and "task", "app" and "other" are containers of the node: two
// on docker_gwbridge, one on a bridge of its own.
type world struct {
	id      string
	cluster *schema.Cluster
	node    schema.Node
	at      map[string][2]netip.Addr // IPv4 and IPv6 address by namespace
	dir     string                   // what the node has as /run and /etc/skep
}

// outside and inside are the namespaces that packets come from.
var (
	outside = []string{"management", "nuvla", "users", "peer", "foreign"}
	inside  = []string{"app", "other"}
)

// newWorld builds the namespaces. Container addresses are cut from the cluster's own range for bridges.
func newWorld(t *testing.T, id string, c *schema.Cluster, node string) *world {
	t.Helper()
	w := &world{id: id, cluster: c, node: c.Node(node), dir: t.TempDir()}
	peer := w.peer()
	pool := c.Engine.Bridges.Subnet.Addr()
	bridge := func(third, fourth byte) netip.Addr {
		a := pool.As4()
		return netip.AddrFrom4([4]byte{a[0], a[1], third, fourth})
	}
	w.at = map[string][2]netip.Addr{
		"management": w.sample(c.Access.Management, 1),
		"nuvla":      w.sample(c.Access.Nuvla, 2),
		"users":      w.sample(c.Access.Users, 3),
		"foreign":    w.sample(nil, 4),
		"node":       both(w.node, 11),
		"peer":       both(peer, 12),
		"gateway":    {bridge(0, 1), netip.MustParseAddr("fd00:1::1")},
		"task":       {bridge(0, 2), netip.MustParseAddr("fd00:1::2")},
		"app":        {bridge(0, 3), netip.MustParseAddr("fd00:1::3")},
		"gateway2":   {bridge(1, 1), netip.MustParseAddr("fd00:2::1")},
		"other":      {bridge(1, 2), netip.MustParseAddr("fd00:2::2")},
	}
	for _, dir := range []string{"run", "etc"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "E=%s\n%s", id, topology)
	for _, name := range append([]string{"node"}, outside...) {
		if m := c.Mesh(); m != nil && name == "peer" {
			fmt.Fprintf(&b, "mesh %s %s %s %s %s\n", m.Device, w.at["peer"][0], w.at["peer"][1], w.at["node"][0], w.at["node"][1])
			continue
		}
		fmt.Fprintf(&b, "plug %s %s %s\n", name, w.at[name][0], w.at[name][1])
	}
	fmt.Fprintf(&b, "bridge docker_gwbridge %s %s\n", w.at["gateway"][0], w.at["gateway"][1])
	fmt.Fprintf(&b, "bridge br-0123456789ab %s %s\n", w.at["gateway2"][0], w.at["gateway2"][1])
	for name, on := range map[string]string{"task": "docker_gwbridge gateway", "app": "docker_gwbridge gateway", "other": "br-0123456789ab gateway2"} {
		device, gateway, _ := strings.Cut(on, " ")
		fmt.Fprintf(&b, "container %s %s %s %s %s %s\n", name, device, w.at[name][0], w.at[name][1], w.at[gateway][0], w.at[gateway][1])
	}
	fmt.Fprintf(&b, "ip -n $E-foreign route add %s via %s dev eth0 onlink\n", w.at["task"][0], w.at["node"][0])
	t.Cleanup(func() {
		sh(t, `for n in $(ip netns list | sed -n "s/^\($1-[a-z]*\).*/\1/p"); do ip netns del $n; done`, id)
	})
	sh(t, b.String())
	return w
}

// topology defines the words that newWorld builds with. Addresses are on one link, so that no router is needed.
const topology = `
new() {
	ip netns add $E-$1
	ip netns exec $E-$1 sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	ip -n $E-$1 link set lo up
}
new wire
ip -n $E-wire link add lan type bridge mcast_snooping 0
ip -n $E-wire link set lan up
plug() {
	new $1
	ip link add eth0 netns $E-$1 type veth peer name p-$1 netns $E-wire
	ip -n $E-wire link set p-$1 master lan up
	ip -n $E-$1 addr add $2/32 dev eth0
	ip -n $E-$1 addr add $3/128 dev eth0 nodad
	ip -n $E-$1 link set eth0 up
	ip -n $E-$1 route add default dev eth0 src $2
	ip -n $E-$1 -6 route add default dev eth0 src $3
}
mesh() {
	new peer
	ip link add eth0 netns $E-peer type veth peer name $1 netns $E-node
	ip -n $E-peer addr add $2/32 dev eth0
	ip -n $E-peer addr add $3/128 dev eth0 nodad
	ip -n $E-peer link set eth0 up
	ip -n $E-node link set $1 up
	ip -n $E-peer route add default dev eth0 src $2
	ip -n $E-peer -6 route add default dev eth0 src $3
	ip -n $E-node addr add $5/128 dev $1 nodad
	ip -n $E-node route add $2 dev $1 src $4
	ip -n $E-node -6 route add $3 dev $1 src $5
}
bridge() {
	ip netns exec $E-node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n $E-node link add $1 type bridge mcast_snooping 0
	ip -n $E-node addr add $2/24 dev $1
	ip -n $E-node addr add $3/64 dev $1 nodad
	ip -n $E-node link set $1 up
}
container() {
	new $1
	ip link add eth0 netns $E-$1 type veth peer name v-$1 netns $E-node
	ip -n $E-node link set v-$1 master $2 up
	ip -n $E-$1 addr add $3/24 dev eth0
	ip -n $E-$1 addr add $4/64 dev eth0 nodad
	ip -n $E-$1 link set eth0 up
	ip -n $E-$1 route add default via $5
	ip -n $E-$1 -6 route add default via $6
}
`

// peer is another node of the cluster, one with two addresses if there is any; a lone node has a stranger instead.
func (w *world) peer() schema.Node {
	others := slices.DeleteFunc(slices.Clone(w.cluster.Nodes), func(n schema.Node) bool { return n.Name == w.node.Name })
	slices.SortStableFunc(others, func(a, b schema.Node) int {
		return len(b.Public.AsSlice()) - len(a.Public.AsSlice())
	})
	if len(others) == 0 {
		return schema.Node{Address: netip.MustParseAddr("100.64.0.12")}
	}
	return others[0]
}

// both are a node's addresses of each family; where the spec has none, one that is in no zone.
func both(n schema.Node, last byte) [2]netip.Addr {
	out := [2]netip.Addr{
		netip.AddrFrom4([4]byte{100, 64, 0, last}),
		netip.MustParseAddr(fmt.Sprintf("2001:db8:aaaa::%d", last)),
	}
	for _, a := range []netip.Addr{n.Public, n.Address} {
		if a.Is4() {
			out[0] = a
		} else if a.Is6() {
			out[1] = a
		}
	}
	return out
}

// sample is an address of each family in the prefixes; where there is none, or the whole world, a stranger's.
func (w *world) sample(prefixes []netip.Prefix, last byte) [2]netip.Addr {
	out := [2]netip.Addr{
		netip.AddrFrom4([4]byte{100, 64, 1, last}),
		netip.MustParseAddr(fmt.Sprintf("2001:db8:bbbb::%d", last)),
	}
	for _, p := range prefixes {
		a := p.Addr()
		if p.Bits() == 0 {
			continue
		}
		if !p.IsSingleIP() {
			a = a.Next()
		}
		if a.Is4() {
			out[0] = a
		} else {
			out[1] = a
		}
	}
	return out
}

// ns is the name of one of the world's namespaces.
func (w *world) ns(name string) string { return w.id + "-" + name }

// run runs a shell script on the node, which has a /run and an /etc/skep of its own.
func (w *world) run(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := w.try(script, args...)
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	return out
}

func (w *world) try(script string, args ...string) (string, error) {
	return output("ip", append([]string{"netns", "exec", w.ns("node"), "sh", "-ec",
		`mount --bind "$1/etc" /etc/skep; mount --bind "$1/run" /run; shift; ` + script, "sh", w.dir}, args...)...)
}

// publish sends the ports to a container, as Docker does. Like Docker with its userland proxy it leaves out packets of
// the container's own bridge. With the word "ip" it does so for IPv4 alone: IPv6 then meets a listener of the node, as
// it meets docker-proxy.
func (w *world) publish(t *testing.T, ports map[string][]int, families ...string) {
	t.Helper()
	var b strings.Builder
	for _, family := range families {
		to := map[string]string{"ip": w.at["task"][0].String(), "ip6": w.at["task"][1].String()}[family]
		fmt.Fprintf(&b, "table %s docker {\nchain pre {\ntype nat hook prerouting priority dstnat;\n", family)
		for _, proto := range []string{"tcp", "udp"} {
			fmt.Fprintf(&b, "iifname != \"docker_gwbridge\" fib daddr type local %s dport { %s } dnat to %s\n", proto, join(ports[proto]), to)
		}
		b.WriteString("}\n}\n")
	}
	for _, family := range []string{"ip", "ip6"} {
		fmt.Fprintf(&b, "table %s leave {\nchain post {\ntype nat hook postrouting priority srcnat;\niifname { \"docker_gwbridge\", \"br-0123456789ab\" } oifname != { \"docker_gwbridge\", \"br-0123456789ab\" } masquerade\n}\n}\n", family)
	}
	file := filepath.Join(w.dir, "docker.nft")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	sh(t, `ip netns exec $1 nft -f $2`, w.ns("node"), file)
}

func join(ports []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ports)), ", "), "[]")
}
