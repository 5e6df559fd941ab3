// Package vpn lets OpenVPN itself judge the bundles: servers and clients with certificates that the bundle's scripts
// issue, connected over network namespaces, behind the bundle's own firewall.
package vpn

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"skep.dev/examples/conformance/judge"
)

// The test binary runs itself: once more inside namespaces, and as the programs that listen and dial.
const (
	insideVar = "SKEP_CONFORMANCE_INSIDE"
	agentVar  = "SKEP_CONFORMANCE_AGENT"
)

func TestMain(m *testing.M) {
	switch os.Getenv(agentVar) {
	case "listen":
		listen(os.Args[1:])
		return
	case "dial":
		dial(os.Args[1])
		return
	}
	if os.Getenv(insideVar) == "" && missing() == "" {
		fmt.Fprintln(os.Stderr, judge.Inside(prepare, insideVar+"=1"))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// missing returns what has to be installed, or allowed, before OpenVPN can judge.
func missing() string {
	for _, tool := range []string{"openvpn openvpn", "ip iproute2", "nft nftables", "iptables-restore iptables", "unshare util-linux", "openssl openssl"} {
		name, from, _ := strings.Cut(tool, " ")
		if _, err := exec.LookPath(name); err != nil {
			return from + " (for " + name + ")"
		}
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return "the kernel's tun devices (modprobe tun)"
	}
	if os.Geteuid() != 0 || !judge.Confines() {
		return "root (for namespaces)"
	}
	return ""
}

func need(t *testing.T) {
	t.Helper()
	if what := missing(); what != "" {
		judge.Missing(t, "install "+what)
	}
}

// prepare gives the tests an empty /run, and an /etc and a /var/lib whose changes nobody else sees.
const prepare = `mount -t tmpfs tmpfs /run
for d in etc var/lib usr/local/sbin; do
	mkdir -p /run/upper/$d /run/scratch/$d
	mount -t overlay -o lowerdir=/$d,upperdir=/run/upper/$d,workdir=/run/scratch/$d overlay /$d
done
mkdir -p /run/netns
ip link set lo up`

// payload is more than any packet carries, so that lost large packets show.
const payload = 300_000

// listen answers on each address, until it is ended, with who asks and then many bytes.
func listen(addresses []string) {
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintln(c, host)
				_, _ = c.Write(make([]byte, payload))
				_ = c.Close()
			}
		}()
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// dial prints whom the listener saw; it fails when nobody answers or bytes are missing.
func dial(address string) {
	c, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	b, err := io.ReadAll(c)
	who, rest, _ := strings.Cut(string(b), "\n")
	if err != nil || len(rest) != payload {
		fmt.Println(len(rest), err)
		os.Exit(1)
	}
	fmt.Println(who)
}
