package firewall

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"skep.dev/generators/firewall"
	"skep.dev/generators/firewall/proof"
)

// hold is connections to open at once from one address, and to keep until standard input ends.
type hold struct {
	From, To string
	Port     int
	Count    int
	Open     int // of these, so many are to be answered
}

// holdAgent prints how many of the connections were answered.
func holdAgent() {
	var h hold
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&h); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(h.From)}}
	var kept []net.Conn
	for range h.Count {
		d.Timeout = patience
		if len(kept) < h.Open {
			d.Timeout = stamina
		}
		if c, err := d.Dial("tcp", endpoint(h.To, h.Port)); err == nil {
			kept = append(kept, c)
		}
	}
	fmt.Println(len(kept))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// held starts a holder that ends with the test, and returns how many connections it has.
func held(t *testing.T, ns string, h hold) int {
	t.Helper()
	var n int
	if _, err := fmt.Fscan(started(t, ns, "hold", h), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCrowd opens more connections than one sender may have: the bound is of the sender, over all of the web's ports
// together, and not of operators.
func TestCrowd(t *testing.T) {
	kernel(t)
	const limit = 4
	for i, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["target"]
			c.Firewall.Backend = backend
			c.Exposures = slices.Clone(c.Exposures)
			for i := range c.Exposures {
				if c.Exposures[i].Connections > 0 {
					c.Exposures[i].Connections = limit
				}
			}
			classes := firewall.Classes(&c)
			class := classes[slices.IndexFunc(classes, serves443)]
			w := newWorld(t, fmt.Sprintf("c%d", i), &c, class.Nodes[0])
			listen(t, w.ns("node"), plan{"node", texts(w.at["node"]), map[string][]int{"tcp": {80, 443, 2376}}})
			sh(t, loading(t, &c, class, w.dir), w.ns("node"))
			neighbour := w.at["users"][1].Next() // of one network with it
			sh(t, `ip -n $1 addr add $2/128 dev eth0 nodad`, w.ns("users"), neighbour.String())

			from, to := w.at["users"], w.at["node"]
			for _, ask := range []struct {
				ns       string
				from, to netip.Addr
				port     int
				want     int
			}{
				{"users", from[0], to[0], 443, limit - 1},
				{"users", from[0], to[0], 80, 1},
				{"foreign", w.at["foreign"][0], to[0], 443, limit},
				{"users", from[1], to[1], 443, limit - 1},
				{"users", neighbour, to[1], 443, 1},
				{"management", w.at["management"][0], to[0], 443, limit + 2},
				{"management", w.at["management"][0], to[0], 2376, limit + 2},
				{"peer", w.at["peer"][0], to[0], 443, limit + 2},
			} {
				count := ask.want
				if count != limit-1 { // more than are let in
					count = limit + 2
				}
				if got := held(t, w.ns(ask.ns), hold{ask.from.String(), ask.to.String(), ask.port, count, ask.want}); got != ask.want {
					t.Errorf("%s has %d connections from %s to %s, want %d of %d", ask.ns, got, ask.from, endpoint(ask.to.String(), ask.port), ask.want, count)
				}
			}
			if backend == "nft" && strings.Contains(sh(t, `ip netns exec $1 nft list counter inet skep crowd`, w.ns("node")), "packets 0 ") {
				t.Error("the counter of what was too many is 0")
			}
		})
	}
}

// TestAddressAnswers sends what a DHCP server answers to a node that has no address yet, and to one that has: the first
// is read before any rule, as DHCP clients do, and the second comes by the way to the server only.
func TestAddressAnswers(t *testing.T) {
	kernel(t)
	for _, backend := range backends() {
		t.Run(backend, func(t *testing.T) {
			c := *specs(t)["target"]
			c.Firewall.Backend = backend
			class := firewall.Classes(&c)[0]
			dir := t.TempDir()
			t.Cleanup(func() { sh(t, `for n in dhcp-node dhcp-out; do ip netns del $n; done`) })
			sh(t, `ip netns add dhcp-node; ip netns add dhcp-out; ip -n dhcp-node link set lo up
ip netns exec dhcp-node sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
for link in eth0 eth1; do
	ip link add $link netns dhcp-node type veth peer name $link netns dhcp-out
	ip -n dhcp-node link set $link up; ip -n dhcp-out link set $link up
done
ip -n dhcp-node addr add 10.9.9.5/24 dev eth1`)
			sh(t, loading(t, &c, class, dir), "dhcp-node")
			server, own := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.77")
			answer := proof.Packet{Src: server, Dst: own, Proto: "udp", SrcPort: 67, Port: 68}

			before := waiting(t, "raw", "")
			inject(t, "dhcp-out", "eth0", "dhcp-node", "eth0", answer)
			if !before() {
				t.Error("a client without an address has no answer")
			}
			sh(t, `ip -n dhcp-node addr add $1/24 dev eth0; ip -n dhcp-node route add default via $2`, own.String(), server.String())
			later := waiting(t, "udp", own.String())
			inject(t, "dhcp-out", "eth0", "dhcp-node", "eth0", answer)
			if !later() {
				t.Error("a client with an address has no answer by the way to the server")
			}
			forged := waiting(t, "udp", own.String())
			inject(t, "dhcp-out", "eth1", "dhcp-node", "eth1", answer)
			if forged() {
				t.Error("an answer came by another way than that to the server")
			}
		})
	}
}

// waiting starts a client that waits for an answer, as a packet of the link or of UDP, and returns whether it had one.
func waiting(t *testing.T, kind, address string) func() bool {
	t.Helper()
	cmd := agent(t, "dhcp-node", "wait-"+kind)
	cmd.Env = append(cmd.Env, "SKEP_CONFORMANCE_ADDRESS="+address)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word string
	if _, err := fmt.Fscan(out, &word); err != nil || word != "ready" {
		t.Fatal(word, err)
	}
	return func() bool {
		rest, _ := io.ReadAll(out)
		_ = cmd.Wait()
		return strings.Contains(string(rest), "answered")
	}
}

// waitAgent waits on a UDP socket of port 68.
func waitAgent() {
	c := must(net.ListenPacket("udp", endpoint(os.Getenv("SKEP_CONFORMANCE_ADDRESS"), 68)))
	fmt.Println("ready")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := c.ReadFrom(make([]byte, 64)); err == nil {
		fmt.Println("answered")
	}
}
