package runbook_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// transitBefore are the words of the runbook's library that the functions call, and the rows of one node.
const transitBefore = `set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
refuse() { printf '%s\n' "$@"; exit 12; }
source <(sed -n '/^is_like() {/,/^}/p' sh/lib.sh)
has() { case $1 in docker) engine_up ;; keepalived | dockerd) [[ " $installed " == *" $1 "* ]] ;; *) command -v "$1" >/dev/null ;; esac; }
systemctl() { [[ $* == *keepalived* ]]; }
engine_up() { [[ $installed == dockerd ]]; }
docker() { if [[ $2 == ls ]]; then echo 1f; else echo "$networks"; fi; }
host=w1 role=worker address=10.0.0.21 networks= sysctl_conf=/etc/sysctl.d/90-skep.conf installed=dockerd
forward=() vrrp=()
first_run() { refuse "$@"; }
peers() { echo 10.0.0.21; }
mount -t tmpfs tmpfs /etc/sysctl.d
ip link set lo up
bridge() { ip link add "$1" type bridge; ip address add "$2" dev "$1"; ip link set "$1" up; }
link() { ip link add "$1" type veth peer name "p-$1"; ip address add "$2" dev "$1"; ip link set "$1" up; ip link set "p-$1" up; }
link eth0 203.0.113.5/24; ip route add default via 203.0.113.1
link eth1 10.0.0.21/24
bridge docker0 172.20.0.1/24
bridge docker_gwbridge 172.20.1.1/24
bridge br-0123456789ab 172.20.2.1/24
iptables -t nat -A POSTROUTING -s 172.20.0.0/24 ! -o docker0 -j MASQUERADE
# What skep-vpn-forward adds for the clients of the VPN.
link skep-vpn 10.200.0.1/22
iptables -t nat -N SKEP-VPN
iptables -t nat -A SKEP-VPN -s 10.200.0.0/22 -d 10.40.0.0/24 ! -o skep-vpn -j MASQUERADE
iptables -t nat -A POSTROUTING -j SKEP-VPN
ip6tables -t nat -A POSTROUTING -s fd00:172::/64 ! -o docker0 -j MASQUERADE
iptables -t nat -A POSTROUTING -o docker_gwbridge -m addrtype --src-type LOCAL -j MASQUERADE
iptables -t nat -A POSTROUTING -s 172.20.2.5/32 -d 172.20.2.5/32 -p tcp --dport 80 -j MASQUERADE
echo 1 >/proc/sys/net/ipv4/ip_forward
echo net.ipv4.ip_forward=1 >"$sysctl_conf"
`

// TestTransitIsNamed runs the functions on a node of its own: what it passes on for others is refused with the row of the
// spec that says it; what Docker made is none of that.
func TestTransitIsNamed(t *testing.T) {
	if os.Geteuid() != 0 || exec.Command("unshare", "-n", "true").Run() != nil {
		t.Fatal("not proven: want root and unshare(1) from util-linux")
	}
	const (
		peers   = "peers() { printf '%s\\n' 10.0.0.21 10.0.0.11 192.0.2.11; }\n"
		virbr0  = "bridge virbr0 192.168.122.1/24\n"
		router  = "echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/99-router.conf\n"
		router6 = "echo 'net.ipv6.conf.all.forwarding=1' >/etc/sysctl.d/99-router.conf\n"
	)
	// The bridges of Docker and the tunnels are what the runbook itself takes for them.
	table, err := os.ReadFile("../../examples/vpn/bundle/runbook/cluster.sh")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?s)readonly -a bridges=\(.*?\)\n.*?readonly -a tunnels=\(.*?\)\n`).FindString(string(table))
	for name, test := range map[string]struct{ before, want string }{
		"docker alone": {"", ""},
		"peers":        {peers + "ip route add 192.0.2.0/24 via 10.0.0.1\n", ""},
		"packets to a peer from another address": {peers + "ip route add 192.0.2.0/24 via 203.0.113.1\n", "packets to the node at 192.0.2.11 leave from 203.0.113.5, and nodes.w1.address is 10.0.0.21: overlays would carry nothing\n" +
			"give the route to it that source (ip route get 192.0.2.11 shows it), or correct nodes.w1.address\n"},
		"an address that is the second of its card": {peers + "ip address del 10.0.0.21/24 dev eth1\nip address add 10.0.0.9/24 dev eth1\nip address add 10.0.0.21/24 dev eth1\n",
			"packets to the node at 10.0.0.11 leave from 10.0.0.9, and nodes.w1.address is 10.0.0.21"},
		"a node without a route to a peer": {peers + "ip route del default\n", ""},
		"a bridge of guests": {virbr0, "192.168.122.0/24 are guests of this node, on virbr0, which the firewall will refuse\n" +
			`say it in the spec: firewall: forward: [{from: "192.168.122.0/24", to: "0.0.0.0/0", device: "virbr0", on: ["w1"], why: "guests on virbr0"}]` + "\n"},
		"guests that the spec names":        {virbr0 + "forward=('192.168.122.0/24 virbr0 w1')\n", ""},
		"guests within a wider row":         {virbr0 + "forward=('192.168.0.0/16 - workers')\n", ""},
		"guests that the spec names on m1":  {virbr0 + "forward=('192.168.122.0/24 virbr0 m1')\n", "192.168.122.0/24 are guests"},
		"guests whose row has another net":  {virbr0 + "forward=('192.168.121.0/24 - all')\n", "192.168.122.0/24 are guests"},
		"guests whose row has another link": {virbr0 + "forward=('192.168.122.0/24 virbr1 all')\n", "192.168.122.0/24 are guests"},
		"guests on IPv6": {"bridge incusbr0 fd42:1::1/64\n", "fd42:1::/64 are guests of this node, on incusbr0, which the firewall will refuse\n" +
			`say it in the spec: firewall: forward: [{from: "fd42:1::/64", to: "::/0", device: "incusbr0", on: ["w1"], why: "guests on incusbr0"}]` + "\n"},
		"guests on IPv6 within a row of all":       {"bridge incusbr0 fd42:1::1/64\nforward=('::/0 - all')\n", ""},
		"guests on IPv6 beside a row of IPv4":      {"bridge incusbr0 fd42:1::1/64\nforward=('0.0.0.0/0 - all')\n", "fd42:1::/64 are guests"},
		"a bridge that carries the node's address": {"ip link del eth1\nbridge lan0 10.0.0.21/24\n", ""},
		"a bridge with a card":                     {"bridge lan0 192.0.2.5/24\nmount -t tmpfs tmpfs /sys/class/net\nmkdir -p /sys/class/net/lan0/lower_eth5/device\n", ""},
		"a bridge with a VLAN of a card":           {"bridge lan0 192.0.2.5/24\nmount -t tmpfs tmpfs /sys/class/net\nmkdir -p /sys/class/net/lan0/lower_eth5.7/lower_eth5/device\n", ""},
		"a bridge with guests alone":               {"bridge lan0 192.0.2.5/24\nmount -t tmpfs tmpfs /sys/class/net\nmkdir -p /sys/class/net/lan0/lower_vnet5\n", "192.0.2.0/24 are guests"},
		"a bridge of Docker with a name of its own": {"bridge lan7 172.20.7.1/24\nnetworks='lan7 site'\n", "lan7 is the bridge of Docker's network site, and the firewall would cut its containers off\n" +
			`add it in the spec: firewall: bridges: ["lan7"]` + "\n"},
		"a bridge of Docker that the spec names": {"bridge lan7 172.20.7.1/24\nnetworks='lan7 site'\nbridges+=(lan7)\n", ""},
		"a bridge that the node goes out by":     {"bridge br0 192.0.2.5/24\nip route replace default via 192.0.2.1 dev br0\n", ""},
		"addresses translated by iptables": {"iptables -t nat -A POSTROUTING -s 10.9.0.0/24 -o eth0 -j MASQUERADE\n",
			"10.9.0.0/24 is behind this node (iptables: -A POSTROUTING -s 10.9.0.0/24 -o eth0 -j MASQUERADE), which the firewall will refuse\n" +
				`say it in the spec: firewall: forward: [{from: "10.9.0.0/24", to: "0.0.0.0/0", on: ["w1"], why: "behind this node"}]` + "\n"},
		"all addresses translated":          {"iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\n", "addresses of others are translated on this node (iptables"},
		"addresses translated by ip6tables": {"ip6tables -t nat -A POSTROUTING -s fd42:2::/64 -o eth0 -j MASQUERADE\n", "fd42:2::/64 is behind this node (iptables: -A POSTROUTING -s fd42:2::/64"},
		"all addresses of IPv6 translated": {"ip6tables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\n", "addresses of others are translated on this node (iptables: -A POSTROUTING -o eth0 -j MASQUERADE), which the firewall will refuse\n" +
			`take the rule away, or say it in the spec, with networks as narrow as they can be: firewall: forward: [{from: "::/0", to: "::/0"`},
		"addresses translated by nft": {"nft add table inet lxd\nnft 'add chain inet lxd pstrt { type nat hook postrouting priority 100; }'\n" +
			"nft add rule inet lxd pstrt ip saddr 10.8.0.0/24 ip daddr != 10.8.0.0/24 masquerade\n", "10.8.0.0/24 is behind this node (nft, table inet/lxd: ip saddr 10.8.0.0/24"},
		"a router": {router, "this node may route IPv4 between eth0 eth1 (/etc/sysctl.d/99-router.conf turns forwarding on), which the firewall will refuse\n" +
			`name what it passes on, such as firewall: forward: [{from: "0.0.0.0/0", to: "0.0.0.0/0", on: ["w1"], why: "routes for a site"}], or take the setting away: skep has one of its own for Docker` + "\n"},
		"a router with one link, and the VPN":        {router + "ip link del eth1\n", ""},
		"a router that the spec names":               {router + "forward=('10.0.0.0/24 - workers')\n", ""},
		"a router that the spec names on IPv6 alone": {router + "forward=('fd42::/48 - workers')\n", "this node may route IPv4 between eth0 eth1"},
		"a router of IPv6": {"ip address add fd42:1::1/64 dev eth0\nip address add fd42:2::1/64 dev eth1\n" + router6, "this node may route IPv6 between eth0 eth1 (/etc/sysctl.d/99-router.conf turns forwarding on), which the firewall will refuse\n" +
			`name what it passes on, such as firewall: forward: [{from: "::/0", to: "::/0"`},
		"a router of IPv6 with one link on IPv6": {"ip address add fd42:1::1/64 dev eth0\n" + router6, ""},
		"a router of IPv6 that the spec names":   {"ip address add fd42:1::1/64 dev eth0\nip address add fd42:2::1/64 dev eth1\n" + router6 + "forward=('fd42:1::/64 - w1')\n", ""},
		"a router before Docker":                 {"installed=\n", "this node may route IPv4 between eth0 eth1 (a setting of this machine turns forwarding on)"},
		"keepalived": {"installed+=' keepalived'\n", "keepalived runs here, and the firewall will refuse VRRP\n" +
			`say it in the spec: exposures: vrrp: {proto: "vrrp", on: ["w1"], from: ["cluster"], why: "keepalived"}, with the other nodes that run it` + "\n"},
		"keepalived that the spec names": {"installed+=' keepalived'\nvrrp=(all)\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("unshare", "-n", "-m", "bash", "-c", transitBefore+strings.ReplaceAll(rows, "readonly", "declare")+test.before+"source sh/steps/transit.sh\ntransit\nredundancy").CombinedOutput()
			if test.want == "" && (err != nil || len(out) > 0) || test.want != "" && (err == nil || err.(*exec.ExitError).ExitCode() != 12) {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.HasPrefix(string(out), test.want) {
				t.Errorf("%s", out)
			}
		})
	}
}
