# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The lab's network lives in namespaces alone: a router joins the bridge of the nodes with a link to each zone, so
# that nothing of the machine's own network, forwarding or filters is touched.

# The router answers under these on each of its links, so that any address fits anywhere.
gateway=169.254.78.1 gateway6=fe80::1

inside() { ip netns exec "skep-$1" "${@:2}"; }

network() {
	local name
	if [[ ! -e /run/netns/skep-router ]]; then
		ip netns add skep-router
		inside router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv6.conf.all.forwarding=1
		inside router ip link set lo up
		inside router ip link add wire type bridge
		uplink wire
		# Frames between nodes are no business of the router's filter.
		inside router sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
	fi
	for name in "${!zones[@]}"; do join "$name" "${zones[$name]}"; done
	for name in "${!nodes[@]}"; do join "$name" "${nodes[$name]}"; done
}

# uplink LINK: the router's own side of a link.
uplink() {
	inside router ip address add "$gateway/32" dev "$1"
	inside router ip -6 address add "$gateway6/64" dev "$1" nodad
	inside router ip link set "$1" up
}

# link NAME prints what the router calls the link to a machine: a device has 15 letters.
link() { if ((${#1} <= 12)); then printf 'to-%s\n' "$1"; else printf 'to-%.12s\n' "$(sha256sum <<<"$1")"; fi; }

# hardware NAME prints the address that its card has, be it switched off and on again.
hardware() { sha256sum <<<"$1" | sed -E 's/^(..)(..)(..)(..)(..).*/02:\1:\2:\3:\4:\5/'; }

# on_wire NAME: the nodes and the neighbour share a bridge.
on_wire() { [[ $1 == neighbour || -n ${nodes[$1]:-} ]]; }

# join NAME ADDRESSES: a namespace with one interface, its gateway the router.
join() {
	local name=$1 link address
	[[ ! -e /run/netns/skep-$name ]] || return 0
	link=$(link "$name")
	ip netns add "skep-$name"
	# A machine starts without what Docker or skep turn on, whatever the one below has.
	inside "$name" sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n skep-router link add "$link" type veth peer name eth0 address "$(hardware "$name")" netns "skep-$name"
	if on_wire "$name"; then
		ip -n skep-router link set "$link" up master wire
	else
		uplink "$link"
		for address in $2; do ip -n skep-router route add "$address" dev "$link"; done
	fi
	ip -n "skep-$name" link set lo up
	ip -n "skep-$name" link set eth0 up
	for address in $2; do
		case $(on_wire "$name" && echo wire):$address in
		wire:*:*) ip -n "skep-$name" address add "$address/64" dev eth0 nodad ;;
		wire:*) ip -n "skep-$name" address add "$address/24" dev eth0 ;;
		*:*:*) ip -n "skep-$name" address add "$address/128" dev eth0 nodad ;;
		*) ip -n "skep-$name" address add "$address/32" dev eth0 ;;
		esac
	done
	ways "$name" "$2"
}

# ways NAME ADDRESSES: how the machine and the router find each other. The first address of a family is the one it calls from.
ways() {
	local name=$1 address
	for address in $2; do
		if on_wire "$name"; then ip -n skep-router route replace "$address" dev wire; fi
		if [[ $address == *:* ]]; then
			ip -n "skep-$name" -6 route show default | grep -q . ||
				ip -n "skep-$name" -6 route add default via "$gateway6" dev eth0 src "$address"
		else
			ip -n "skep-$name" route show default | grep -q . ||
				ip -n "skep-$name" route add default via "$gateway" dev eth0 onlink src "$address"
		fi
	done
}

# unplug NAME takes the machine's namespace away, with all that it had loaded: nothing of it outlives its power.
unplug() {
	[[ -e /run/netns/skep-$1 ]] || return 0
	ip -n skep-router link delete "$(link "$1")" 2>/dev/null || true
	ip netns delete "skep-$1"
}

# silence NAME SECONDS drops all that a machine sends and is sent, although its cable has a link.
silence() {
	local link
	link=$(link "$1")
	# shellcheck disable=SC2064 # as it is now
	trap "ip -n skep-router link set $link type bridge_slave state 3" EXIT
	ip -n skep-router link set "$link" type bridge_slave state 0
	sleep "$2"
}

no_network() {
	local name
	for name in "${!nodes[@]}" "${!zones[@]}"; do unplug "$name"; done
	if [[ -e /run/netns/skep-router ]]; then ip netns delete skep-router; fi
}
