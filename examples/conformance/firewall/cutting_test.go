package firewall

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skep.dev/generators/firewall"
)

// connection is one that the kernel tracks: who asked, and what for.
type connection struct {
	from string // a namespace
	p    probe
}

// TestCut: connections that stood before the rules end with them, but only those that the rules refuse. Nothing is
// flushed; containers and what the node asked for itself go on.
func TestCut(t *testing.T) {
	kernel(t)
	for name, backends := range map[string][]string{"target": {"nft", "iptables"}, "six": {"nft"}, "everything": {"iptables"}} {
		for _, backend := range backends {
			t.Run(name+"/"+backend, func(t *testing.T) {
				t.Parallel()
				c := *specs(t)[name]
				c.Firewall.Backend = backend
				c.Exposures = slices.Clone(c.Exposures)
				for i := range c.Exposures {
					c.Exposures[i].Why = "--sport 1 -g SKEP-x jump x goto from_x accept" // words are no rules
				}
				testCut(t, newWorld(t, "cut"+name+backend, &c, c.Nodes[0].Name), name)
			})
		}
	}
}

func testCut(t *testing.T, w *world, spec string) {
	ports := map[string][]int{"tcp": {22, 80, 443, 2376, 2377, 5432, 7946, 30000}, "udp": {7946, 5432, 30000}}
	published := map[string][]int{"tcp": {443, 5432}, "udp": {5432}}
	w.publish(t, published, "ip", "ip6")
	for _, name := range []string{"node", "task", "users"} {
		listen(t, w.ns(name), plan{"x", texts(w.at[name]), ports})
	}
	w.watch(t)
	var all []connection
	for _, from := range append([]string{"node"}, slices.Concat(outside, inside)...) {
		target := "node"
		if from == "node" {
			target = "users"
		}
		var probes []probe
		for _, a := range w.at[target] {
			for proto, numbers := range ports {
				for _, port := range numbers {
					probes = append(probes, probe{proto, a.String(), port})
				}
			}
		}
		answers(t, w.ns(from), probes)
		for _, p := range probes {
			all = append(all, connection{from, p})
		}
	}
	before := w.tracked(t)
	w.confirm(t)
	after := w.tracked(t)
	open := w.expected(spec)
	judged, cut := 0, 0
	for _, c := range all {
		if key := w.key(c); before[key] {
			judged++
			want := slices.Contains(inside, c.from) || c.from == "node" || open(c.from, c.p)
			if !want {
				cut++
			}
			if after[key] != want {
				t.Errorf("%s -> %s: goes on: %v, want %v", c.from, c.p, after[key], want)
			}
		}
	}
	if judged < 60 || cut < 20 || cut == judged {
		t.Errorf("%d connections, of which %d were to be cut: too few to tell", judged, cut)
	}
}

// watch has the kernel track connections before there are rules, as Docker's rules do.
func (w *world) watch(t *testing.T) {
	t.Helper()
	w.run(t, `sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=900 net.netfilter.nf_conntrack_udp_timeout=900 net.netfilter.nf_conntrack_udp_timeout_stream=900
nft add table inet watch; nft 'add chain inet watch in { type filter hook input priority 0; }'; nft add rule inet watch in ct state new accept`)
}

// confirm has the first node's rules tried and kept.
func (w *world) confirm(t *testing.T) string {
	t.Helper()
	args := []string{w.dir}
	class := w.class()
	for _, path := range append([]string{firewall.Command}, class.Files(w.cluster)...) {
		for _, f := range files(t, w.cluster, w.cluster.Firewall.Backend) {
			if f.Path == path {
				file := filepath.Join(w.dir, filepath.Base(path))
				write(t, file, f.Data)
				args = append(args, file)
			}
		}
	}
	return w.run(t, `shift; c=$1; shift; bash "$c" try "$@"; bash "$c" confirm`, args...)
}

// class is that of the node.
func (w *world) class() firewall.Class {
	classes := firewall.Classes(w.cluster)
	return classes[slices.IndexFunc(classes, func(c firewall.Class) bool { return slices.Contains(c.Nodes, w.node.Name) })]
}

// tracked are the connections of the node, by protocol, addresses and port.
func (w *world) tracked(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for line := range strings.Lines(w.run(t, `conntrack -L -f ipv4 2>/dev/null; conntrack -L -f ipv6 2>/dev/null`)) {
		fields := strings.Fields(line)
		key := fields[0]
		for _, want := range []string{"src=", "dst=", "dport="} {
			i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, want) })
			if i < 0 {
				continue
			}
			text := fields[i][len(want):]
			if a, err := netip.ParseAddr(text); err == nil {
				text = a.String()
			}
			key += " " + text
		}
		out[key] = true
	}
	return out
}

// key is a connection as tracked writes it.
func (w *world) key(c connection) string {
	to := netip.MustParseAddr(c.p.Address)
	from := w.at[c.from][0]
	if to.Is6() {
		from = w.at[c.from][1]
	}
	return fmt.Sprintf("%s %s %s %d", c.p.Proto, from, to, c.p.Port)
}

// TestServerSpeaks: a process that talks first would bring its connection back to life, so its socket is closed as well.
func TestServerSpeaks(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.neighbour(t)
		tr.watch(t)
		// A server that waits for a greeting, and two clients that never greet.
		sh(t, `n=$1; d=$2; ip netns exec $n openssl s_server -quiet -nocert -accept '*:5432' </dev/zero >/dev/null 2>&1 & echo $! >$d/server
for i in 1 2 3 4 5 6 7 8 9; do if ip netns exec $n ss -Hltn sport = 5432 | grep -q .; then break; fi; sleep 1; done
ip netns exec $n-b bash -c 'exec 3<>/dev/tcp/100.64.9.1/5432 4<>/dev/tcp/fd00:9::1/5432; exec tail -f /dev/null' >/dev/null 2>&1 & echo $! >$d/clients
for i in 1 2 3 4 5 6 7 8 9; do if [ "$(ip netns exec $n ss -Htn sport = 5432 | wc -l)" = 2 ]; then exit; fi; sleep 1; done; exit 1`, tr.ns("node"), tr.dir)
		t.Cleanup(func() { sh(t, `kill $(cat $1/server $1/clients) || true`, tr.dir) })
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		tr.want(t, 0, "and 1 more such", "", "confirm")
		if left := tr.run(t, `ss -Htn sport = 5432`); left != "" {
			t.Errorf("connections left:\n%s", left)
		}
	})
}

// neighbour gives the node a link to a machine of no zone.
func (tr *trial) neighbour(t *testing.T) {
	t.Helper()
	sh(t, `n=$1; ip netns add $n-b; ip link add eth0 netns $n type veth peer name eth0 netns $n-b
ip -n $n addr add 100.64.9.1/24 dev eth0; ip -n $n addr add fd00:9::1/64 dev eth0 nodad; ip -n $n link set eth0 up; ip -n $n link set lo up
ip -n $n-b addr add 100.64.9.2/24 dev eth0; ip -n $n-b addr add fd00:9::2/64 dev eth0 nodad; ip -n $n-b link set eth0 up`, tr.ns("node"))
	t.Cleanup(func() { sh(t, `ip netns del "$1-b"`, tr.ns("node")) })
}

// TestOwnConnection: the runbook's own connection stays, whatever the rules say; and without the command that would cut,
// somebody is told.
func TestOwnConnection(t *testing.T) {
	onBothBackends(t, func(t *testing.T, tr *trial) {
		tr.neighbour(t)
		tr.watch(t)
		enter := func(port string) string {
			return `conntrack -I -p tcp -s 100.64.9.2 -d 100.64.9.1 --sport ` + port + ` --dport 22 --state ESTABLISHED -t 600`
		}
		tr.run(t, enter("50000")+"; "+enter("50001")+"; "+enter("50002"))
		tr.want(t, 0, "", "100.64.9.2 50000 100.64.9.1 22", append([]string{"try"}, tr.rules...)...)
		tr.want(t, 0, "cut connections that the new rules refuse: from 100.64.9.2 to port 22/tcp\n", "100.64.9.2 50001 100.64.9.1 22", "confirm")
		if left := tr.run(t, `conntrack -L 2>/dev/null`); strings.Contains(left, "sport=50002") || !strings.Contains(left, "sport=50000") || !strings.Contains(left, "sport=50001") {
			t.Errorf("left:\n%s", left)
		}
		tr.want(t, 0, "", "", append([]string{"try"}, tr.rules...)...)
		out := tr.run(t, `mkdir /run/real; mount --bind /usr/sbin /run/real; mount -t tmpfs tmpfs /usr/sbin; ln -s /run/real/* /usr/sbin; rm /usr/sbin/conntrack
bash "$1/bundle/firewall/skep-firewall.sh" confirm`, tr.dir)
		if !strings.Contains(out, "note: no conntrack command") {
			t.Errorf("confirm said:\n%s", out)
		}
	})
}
