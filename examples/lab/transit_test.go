package lab

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// behind is a machine on a wire of its own behind a node, as guests and the machines of a site are: the node's side and its own.
const behindGateway, behind = "10.79.0.1", "10.79.0.2"

// packet is one that a place hands to a node although it is for somebody else. Its number is its source port, from firstNumber on.
type packet struct {
	from, to, dst string // places, and the address that the packet is for
	src           string // what it claims
	proto         string
	port          int
}

const firstNumber = 20000

func (p packet) String() string {
	return fmt.Sprintf("%s as %s -> %s %d/%s", p.from, p.src, p.to, p.port, p.proto)
}

// transit sends packets through each node: to the other nodes and to a machine behind it, from the neighbour, a zone, the
// nodes, and that machine, under their own and under forged addresses. Nothing may come out on the other side. With the node's
// rules unloaded for a moment everything does, so that it is they who held it.
func transit(t *testing.T, l *lab) {
	for _, node := range l.nodes(t) {
		t.Run(node, func(t *testing.T) { l.through(t, node) })
	}
}

func (l *lab) through(t *testing.T, node string) {
	t.Logf("forwarding is %s, Docker left %s", l.on(t, node, "sysctl -n net.ipv4.ip_forward"), l.on(t, node, "iptables -S FORWARD | head -n 1"))
	// The rules hold alone, whatever else there may be.
	l.on(t, node, "iptables -P FORWARD ACCEPT; for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done")
	if got := l.on(t, node, "sysctl -n net.ipv4.ip_forward"); got != "1" {
		t.Errorf("the node forwards nothing (%s): that proves nothing", got)
	}
	machineBehind(t, node)
	mustZone(t, "router", "ip route replace "+behind+" via "+l.address(t, node))
	t.Cleanup(func() { mustZone(t, "router", "ip route del "+behind) })

	packets := l.strays(t, node)
	arrived := l.handOver(t, node, packets)
	for _, p := range arrived {
		t.Errorf("%s got through %s", p, node)
	}
	l.on(t, node, `if nft list table inet skep >/dev/null 2>&1; then
			nft delete table inet skep
		else
			iptables -t mangle -I PREROUTING -j ACCEPT
		fi`)
	control := l.handOver(t, node, packets)
	l.on(t, node, "iptables -t mangle -D PREROUTING -j ACCEPT 2>/dev/null || skep-firewall load")
	for _, p := range packets {
		if !slices.Contains(control, p) {
			t.Errorf("%s does not get through %s without its rules: that proves nothing", p, node)
		}
	}
	t.Logf("%d packets, %d got through; without the rules %d", len(packets), len(arrived), len(control))
}

// strays lists the packets that a node is handed.
func (l *lab) strays(t *testing.T, node string) []packet {
	t.Helper()
	own := map[string]string{"neighbour": machine4(t, "neighbour"), "users": machine4(t, "users"), "behind": behind}
	var others []string
	for _, other := range l.nodes(t) {
		own[other] = l.address(t, other)
		if other != node {
			others = append(others, other)
		}
	}
	var out []packet
	add := func(from, to string, sources ...string) {
		for _, src := range sources {
			for _, port := range []string{"4789/udp", "7946/udp", "2377/tcp", "5432/tcp"} {
				number, proto, _ := strings.Cut(port, "/")
				n, err := strconv.Atoi(number)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, packet{from, to, own[to], src, proto, n})
			}
		}
	}
	for i, other := range others {
		third := own[others[(i+1)%len(others)]]
		add("neighbour", other, own["neighbour"], third)
		add("behind", other, behind, third)
		add(other, "behind", own[other])
		if len(others) > 1 {
			add(other, others[(i+1)%len(others)], own[other])
		}
	}
	add("neighbour", "behind", own["neighbour"], own[others[0]])
	add("users", "behind", own["users"], own[others[0]])
	add("behind", "neighbour", behind, own[others[0]])
	add("behind", "users", behind)
	return out
}

// machineBehind makes a namespace with a wire to the node.
func machineBehind(t *testing.T, node string) {
	t.Helper()
	script := `
		ip netns add skep-behind
		ip -n skep-behind link add eth0 type veth peer name site netns "skep-$1"
		ip -n skep-behind link set lo up
		ip -n skep-behind address add "$3/24" dev eth0
		ip -n skep-behind link set eth0 up
		ip -n skep-behind route add default via "$2"
		ip -n "skep-$1" address add "$2/24" dev site
		ip -n "skep-$1" link set site up
		ip netns exec "skep-$1" sysctl -qw net.ipv4.conf.site.rp_filter=0`
	if out, err := exec.Command("sh", "-ec", script, "sh", node, behindGateway, behind).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		mustZone(t, "behind", "ip link del eth0")
		if out, err := exec.Command("ip", "netns", "delete", "skep-behind").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// handOver sends the packets and returns those that arrive.
func (l *lab) handOver(t *testing.T, node string, packets []packet) []packet {
	t.Helper()
	var places []string
	for _, p := range packets {
		places = append(places, p.to)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	for _, place := range places {
		l.watch(t, place)
	}
	for i, p := range packets {
		send(t, node, firstNumber+i, p)
	}
	// What is on its way arrives; an answer cannot be waited for where silence is wanted.
	time.Sleep(patient(500 * time.Millisecond))
	var out []packet
	for _, place := range places {
		for _, number := range l.watched(t, place) {
			if i := number - firstNumber; i >= 0 && i < len(packets) && packets[i].to == place {
				out = append(out, packets[i])
			}
		}
	}
	return out
}

// nft is the nodes' own command: one of another version may not even be able to read what theirs loaded.
func (l *lab) nft(t *testing.T, place string, args ...string) *exec.Cmd {
	t.Helper()
	base := strings.TrimSpace(read(t, filepath.Join(l.dir(), "nodes", l.nodes(t)[0]+".base")))
	return exec.Command("ip", append([]string{"netns", "exec", "skep-" + place, "chroot", base, "nft"}, args...)...)
}

// watch notes the source ports of what a place gets, before any rule of its own.
func (l *lab) watch(t *testing.T, place string) {
	t.Helper()
	cmd := l.nft(t, place, "-f", "-")
	cmd.Stdin = strings.NewReader(`
		table inet lab-transit
		delete table inet lab-transit
		table inet lab-transit {
			set seen { type inet_service; flags dynamic; size 4096; }
			chain arrivals {
				type filter hook prerouting priority -450
				meta l4proto { tcp, udp } th sport 20000-24000 add @seen { th sport }
			}
		}`)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (l *lab) watched(t *testing.T, place string) []int {
	t.Helper()
	out, err := l.nft(t, place, "list", "set", "inet", "lab-transit", "seen").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := l.nft(t, place, "delete", "table", "inet", "lab-transit").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, elements, _ := strings.Cut(string(out), "elements = {")
	var numbers []int
	for _, word := range strings.FieldsFunc(elements, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// send puts a frame on the sender's wire that is for the node, and whose packet is for somebody else. A zone leaves it to the router.
func send(t *testing.T, node string, number int, p packet) {
	t.Helper()
	next, door := node, "eth0"
	if p.from == "users" {
		next, door = "router", "to-users"
	}
	if p.from == "behind" {
		door = "site"
	}
	to := hardware(t, next, door)
	err := within(p.from, func() error {
		out, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		address := &unix.SockaddrLinklayer{Ifindex: out.Index, Protocol: 0x0008, Halen: 6}
		copy(address.Addr[:], to)
		return unix.Sendto(fd, frame(to, out.HardwareAddr, number, p), 0, address)
	})
	if err != nil {
		t.Fatalf("%s: %v", p, err)
	}
}

// hardware returns the address of a device on its wire.
func hardware(t *testing.T, place, device string) net.HardwareAddr {
	t.Helper()
	var out net.HardwareAddr
	err := within(place, func() error {
		i, err := net.InterfaceByName(device)
		if err == nil {
			out = i.HardwareAddr
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s of %s: %v", device, place, err)
	}
	return out
}

// machine4 returns the IPv4 address of a zone's machine.
func machine4(t *testing.T, place string) string {
	t.Helper()
	var out string
	err := within(place, func() error {
		i, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		all, err := i.Addrs()
		for _, a := range all {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
				out = prefix.Addr().String()
			}
		}
		return err
	})
	if err != nil || out == "" {
		t.Fatalf("%s has the address %q: %v", place, out, err)
	}
	return out
}

// frame is an Ethernet frame with a datagram, or with the first segment of a connection.
func frame(to, from net.HardwareAddr, number int, p packet) []byte {
	src, dst := netip.MustParseAddr(p.src).As4(), netip.MustParseAddr(p.dst).As4()
	var segment []byte
	protocol, sum := byte(unix.IPPROTO_UDP), 6
	if p.proto == "tcp" {
		protocol, sum = unix.IPPROTO_TCP, 16
		segment = make([]byte, 20)
		segment[12], segment[13] = 5<<4, 0x02 // a header of five words; SYN
		binary.BigEndian.PutUint16(segment[14:], 1024)
	} else {
		segment = make([]byte, 12)
		binary.BigEndian.PutUint16(segment[4:], 12)
		copy(segment[8:], "skep")
	}
	binary.BigEndian.PutUint16(segment, uint16(number))
	binary.BigEndian.PutUint16(segment[2:], uint16(p.port))
	pseudo := slices.Concat(src[:], dst[:], []byte{0, protocol, 0, byte(len(segment))}, segment)
	binary.BigEndian.PutUint16(segment[sum:], checksum(pseudo))

	header := make([]byte, 20)
	header[0], header[8], header[9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(header[2:], uint16(len(header)+len(segment)))
	copy(header[12:], src[:])
	copy(header[16:], dst[:])
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	return slices.Concat(to, from, []byte{0x08, 0x00}, header, segment)
}

// checksum is the one of the Internet protocols.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
