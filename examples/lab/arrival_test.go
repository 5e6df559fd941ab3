package lab

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// arrivals sends datagrams to the UDP ports on which the kernel and Docker listen. They answer no stranger, so a rule behind
// skep's counts what comes through: a datagram of this length is nobody else's.
func arrivals(t *testing.T, l *lab) {
	matrix := l.matrix(t)
	for _, node := range l.nodes(t) {
		l.on(t, node, `nft -f - <<'EOF'
			table inet lab {
				set seen { type ipv4_addr . inet_service; flags dynamic; size 1024; }
				chain input {
					type filter hook input priority -300
					udp dport { 4789, 7946 } udp length 12 add @seen { ip saddr . udp dport }
				}
			}
EOF`)
		t.Cleanup(func() { l.on(t, node, "nft delete table inet lab") })
	}
	probes := l.probes(t, "udp", []int{4789, 7946})
	wanted := map[string][]string{}
	// Those that must not arrive are sent first: when the others have come, they would have come, too.
	for _, open := range []bool{false, true} {
		for _, p := range probes {
			if allowed(matrix, p) != open {
				continue
			}
			from := datagram(t, p.from, net.JoinHostPort(l.address(t, p.to), strconv.Itoa(p.port)))
			if open {
				wanted[p.to] = append(wanted[p.to], fmt.Sprintf("%s . %d", from, p.port))
			}
		}
	}
	for _, node := range l.nodes(t) {
		slices.Sort(wanted[node])
		eventually(t, 20*time.Second, func() error {
			text := l.on(t, node, `nft list set inet lab seen | sed -n '/elements/,/}/p' | tr -d '\n' | sed 's/.*= {//; s/}.*//'`)
			var got []string
			for element := range strings.SplitSeq(text, ",") {
				if element = strings.TrimSpace(element); element != "" {
					got = append(got, element)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, wanted[node]) {
				return fmt.Errorf("at %s arrived %q, want %q", node, got, wanted[node])
			}
			return nil
		})
		if len(wanted[node]) == 0 {
			t.Errorf("nothing is to arrive at %s: that proves nothing", node)
		}
	}
	t.Logf("%d datagrams sent", len(probes))
}

// datagram sends one from a zone or a node, and returns the address it leaves with.
func datagram(t *testing.T, place, address string) string {
	t.Helper()
	conn, err := dial(place, "udp", address, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("skep")); err != nil {
		t.Errorf("%s -> %s: %v", place, address, err)
	}
	return conn.LocalAddr().(*net.UDPAddr).IP.String()
}
