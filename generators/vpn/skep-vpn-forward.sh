# Lets packets of VPN clients through this node to the networks of the spec and to the ports it publishes, and answers
# back; nothing else. The unit calls it. The rules are iptables' with either firewall: where Docker made the kernel drop
# forwarded packets, only a rule in the same chain lets them through. An engine that starts again puts its own rules
# before ours, and among them is one that lets containers go anywhere: so what must not pass ends in a table that Docker
# leaves alone. Which ports clients reach is up to the firewall.
#
# Other machines have no way back to the clients' subnet, so packets leave with this node's address. The firewalls of
# the other nodes count it to the clients' zone, and this node's firewall keeps clients from the nodes' own ports.

PATH=$PATH:/usr/sbin:/sbin
readonly chain=SKEP-VPN

usage() { echo "usage: ${0##*/} up|down" >&2; }

# hook TABLE CHAIN: every packet of the chain meets ours.
hook() {
	if ! iptables -w -t "$1" -C "$2" -j "$chain" 2>/dev/null; then iptables -w -t "$1" -I "$2" -j "$chain"; fi
}

# unhook TABLE CHAIN
unhook() {
	while iptables -w -t "$1" -D "$2" -j "$chain" 2>/dev/null; do :; done
	iptables -w -t "$1" -F "$chain" 2>/dev/null || true
	iptables -w -t "$1" -X "$chain" 2>/dev/null || true
}

rules() {
	local route
	printf '*mangle\n:%s - [0:0]\n' "$chain"
	for route in "${routes[@]}"; do
		printf -- '-A %s -i %s -s %s -d %s -j RETURN\n' "$chain" "$device" "$subnet" "$route"
	done
	# A port that Docker publishes on this node: the firewall has let it in, and it goes to a container by now.
	printf -- '-A %s -i %s -s %s -m conntrack --ctstate DNAT -j RETURN\n' "$chain" "$device" "$subnet"
	printf -- '-A %s -i %s -j DROP\n' "$chain" "$device"
	printf -- '-A %s -o %s -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN\n' "$chain" "$device"
	printf -- '-A %s -o %s -j DROP\nCOMMIT\n' "$chain" "$device"
	printf '*filter\n:%s - [0:0]\n' "$chain"
	printf -- '-A %s -i %s -j ACCEPT\n-A %s -o %s -j ACCEPT\nCOMMIT\n' "$chain" "$device" "$chain" "$device"
	printf '*nat\n:%s - [0:0]\n' "$chain"
	for route in "${routes[@]}"; do
		printf -- '-A %s -s %s -d %s ! -o %s -j MASQUERADE\n' "$chain" "$subnet" "$route" "$device"
	done
	printf 'COMMIT\n'
}

case ${1-} in
up)
	rules | iptables-restore -w --noflush
	hook mangle FORWARD
	hook filter FORWARD
	hook nat POSTROUTING
	;;
down)
	unhook filter FORWARD
	unhook nat POSTROUTING
	unhook mangle FORWARD
	;;
*)
	usage
	exit 2
	;;
esac
