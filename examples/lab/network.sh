# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The lab's network lives in namespaces alone: a router joins the bridge of the nodes with a link to each zone, so
# that nothing of the machine's own network, forwarding or filters is touched.

# Each zone and the address of its machine. The neighbour sits on the nodes' own wire and belongs to no zone.
declare -A zones=(
	[management]=10.78.1.2
	[nuvla]=10.78.2.2
	[users]=10.78.3.2
	[neighbour]=10.77.0.99
)
wire=10.77.0.1

inside() { ip netns exec "skep-$1" "${@:2}"; }

network() {
	local name
	if [[ ! -e /run/netns/skep-router ]]; then
		ip netns add skep-router
		inside router sysctl -qw net.ipv4.ip_forward=1
		inside router ip link set lo up
		inside router ip link add wire type bridge
		inside router ip address add "$wire/24" dev wire
		inside router ip link set wire up
		# Frames between nodes are no business of the router's filter.
		inside router sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
	fi
	for name in "${!zones[@]}"; do join "$name" "${zones[$name]}"; done
	for name in "${!nodes[@]}"; do join "$name" "${nodes[$name]}"; done
}

# join NAME ADDRESS: a namespace with one interface, its gateway the router.
join() {
	local name=$1 address=$2 gateway=${2%.*}.1
	[[ ! -e /run/netns/skep-$name ]] || return 0
	ip netns add "skep-$name"
	ip -n skep-router link add "to-$name" type veth peer name eth0 netns "skep-$name"
	if [[ $gateway == "$wire" ]]; then
		ip -n skep-router link set "to-$name" master wire
	else
		ip -n skep-router address add "$gateway/24" dev "to-$name"
	fi
	ip -n skep-router link set "to-$name" up
	ip -n "skep-$name" link set lo up
	ip -n "skep-$name" address add "$address/24" dev eth0
	plug "$name" "$address"
}

plug() {
	ip -n "skep-$1" link set eth0 up
	ip -n "skep-$1" route replace default via "${2%.*}.1"
}

# unplug NAME: without it the kernel would answer for a machine that is off.
unplug() {
	if [[ -e /run/netns/skep-$1 ]]; then ip -n "skep-$1" link set eth0 down; fi
}

no_network() {
	local name
	for name in "${!nodes[@]}" "${!zones[@]}" router; do
		if [[ -e /run/netns/skep-$name ]]; then ip netns delete "skep-$name"; fi
	done
}
