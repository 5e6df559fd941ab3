package runbook_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// rulesBefore are the words of the runbook's library that the functions call, and the rows of one manager.
const rulesBefore = `set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
refuse() { printf '%s\n' "$@"; exit 12; }
note() { printf 'note: %s\n' "$*"; }
has() { command -v "$1" >/dev/null; }
enabled=
systemctl() { [[ " $enabled " == *" ${*: -1} "* ]]; }
host=m1 role=manager duties=
listeners=('tcp 2377 managers' 'tcp 7946 all' 'udp 7946 all' 'udp 4789 all' 'tcp 2049 w2')
mkdir -p /run/etc/network/if-up.d
cp -a /etc/alternatives /etc/ld.so.cache /run/etc
mount --bind /run/etc /etc
# What Docker and skep have.
iptables -P FORWARD DROP
iptables -N DOCKER-USER
iptables -A FORWARD -j DOCKER-USER
nft add table inet skep
nft 'add chain inet skep prerouting { type filter hook prerouting priority -150; policy drop; }'
table() { nft -f - <<<"table inet filter { chain input { type filter hook input priority 0; policy $1; $2 }; }"; }
`

// TestRulesOfOthers runs the functions on a node of its own, with a real nft.
func TestRulesOfOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || exec.Command("unshare", "-n", "true").Run() != nil {
		t.Fatal("not proven: want root and unshare(1) from util-linux")
	}
	tool(t, "nft")
	for name, test := range map[string]struct{ before, want string }{
		"Docker and skep alone":     {"", ""},
		"a flush at boot":           {"enabled=nftables.service\nprintf '#!/usr/sbin/nft -f\\n\\n  flush  ruleset\\n' >/etc/nftables.conf\n", "nftables.service is enabled and /etc/nftables.conf flushes every rule, Docker's too\n"},
		"a flush in a part":         {"enabled=nftables.service\necho 'include \"/run/part*.nft\"' >/etc/nftables.conf\necho 'flush ruleset' >/run/part1.nft\n", "nftables.service is enabled and /run/part1.nft flushes every rule"},
		"a flush that nobody loads": {"echo 'flush ruleset' >/etc/nftables.conf\n", ""},
		"a flush by a script":       {"echo 'iptables -t nat -F' >/etc/network/if-up.d/mine\n", "note: /etc/network/if-up.d/mine flushes rules, Docker's or skep's may be among them\n"},
		"everything is dropped":     {"table drop 'ct state established,related accept; iif lo accept; tcp dport 22 accept;'\n", "table inet filter, chain input, drops what it does not accept, and does not accept 2377/tcp\n"},
		"one port is left out":      {"table drop 'tcp dport { 22, 2377, 7946 } accept; udp dport 7000-8000 accept;'\n", "table inet filter, chain input, drops what it does not accept, and does not accept 4789/udp\n"},
		"all ports are let in":      {"table drop 'tcp dport { 22, 2000-2400, 7946 } accept; udp dport { 4789, 7946 } accept;'\n", ""},
		"the nodes are let in":      {"table drop 'ip saddr 10.0.0.0/24 accept;'\n", "note: table inet filter, chain input, drops what it does not accept: it has to let in what the nodes"},
		"one port is dropped":       {"table accept 'udp dport 4789 counter drop;'\n", "a rule of table inet filter, chain input, drops 4789/udp, which the cluster needs: udp dport 4789 counter drop\n"},
		"dropped from the world":    {"table accept 'ip saddr != 10.0.0.0/24 udp dport 4789 drop;'\n", ""},
		"accepted before":           {"table accept 'ip saddr 10.0.0.0/24 accept; udp dport 4789 drop;'\n", ""},
		"a port of another node":    {"table accept 'tcp dport 2049 drop;'\n", ""},
		"nothing is passed on":      {"nft -f - <<<'table inet filter { chain forward { type filter hook forward priority 0; policy drop; }; }'\n", "table inet filter, chain forward, drops what is passed on: no container would reach anything\n"},
		"by iptables":               {"iptables -A INPUT -p udp --dport 4789 -j DROP\n", "a rule of table ip filter, chain INPUT, drops 4789/udp"},
		"a policy of iptables":      {"iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n", "table ip filter, chain INPUT, drops what it does not accept, and does not accept 2377/tcp\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("unshare", "-n", "-m", "bash", "-c", "mount -t tmpfs tmpfs /run\n"+rulesBefore+test.before+"source sh/steps/rules.sh\nrules_of_others").CombinedOutput()
			if refused := test.want != "" && !strings.HasPrefix(test.want, "note: "); refused != (err != nil) || test.want == "" && len(out) > 0 {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.HasPrefix(string(out), test.want) {
				t.Errorf("%s", out)
			}
		})
	}
}
