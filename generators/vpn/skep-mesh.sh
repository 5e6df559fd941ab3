# Brings the mesh up, or to a changed configuration without an interruption. The unit calls it.
#
# The private key is joined to the configuration on its way into the kernel: `wg syncconf` takes a configuration without
# one as the wish to have none, so a reload by wg-quick would cut the node off.

PATH=$PATH:/usr/sbin:/sbin

readonly private_key=$directory/private.key
readonly next_key=$private_key.next # made by rotate; the tunnel has the other one until the spec names this

usage() {
	cat >&2 <<END
usage: ${0##*/} up|down     brings the mesh up, or to a changed configuration; takes it down
       ${0##*/} key         makes the private key once, and prints the public one; after rotate that of the next
       ${0##*/} rotate      makes the next private key, and prints the public one
       ${0##*/} has KEY     is that public key one of this node's?
       ${0##*/} take KEY    makes the private half of that key the one that up uses
END
}

make_key() (
	umask 077
	mkdir -p -- "$directory"
	wg genkey >"$1.new"
	mv -- "$1.new" "$1"
)

# public FILE
public() { [[ ! -s $1 ]] || wg pubkey <"$1"; }

key() {
	[[ -s $private_key ]] || make_key "$private_key"
	if [[ -s $next_key ]]; then public "$next_key"; else public "$private_key"; fi
}

rotate() {
	[[ -s $private_key ]] && make_key "$next_key"
	key
}

has() { [[ -n $1 && ($1 == "$(public "$private_key")" || $1 == "$(public "$next_key")") ]]; }

take() {
	has "$1" || return 1
	[[ $1 == "$(public "$private_key")" ]] || mv -- "$next_key" "$private_key"
}

whole() {
	cat -- "$directory/mesh.conf"
	printf '\n[Interface]\nPrivateKey = %s\n' "$(<"$private_key")"
}

# start makes the interface. A kernel without WireGuard has it as a program, where that is installed.
start() {
	if ip link show dev "$device" >/dev/null 2>&1; then return; fi
	if ip link add dev "$device" type wireguard 2>/dev/null; then return; fi
	if command -v wireguard-go >/dev/null && wireguard-go "$device" >/dev/null 2>&1; then return; fi
	echo "${0##*/}: this kernel has no WireGuard (modprobe wireguard), and there is no wireguard-go" >&2
	return 1
}

up() {
	local here old
	here=$(<"$directory/address")/$bits
	start
	wg syncconf "$device" <(whole)
	ip address replace "$here" dev "$device"
	# The address of an earlier spec.
	while read -r old; do
		[[ $old == "$here" ]] || ip address del "$old" dev "$device"
	done < <(ip -o -4 address show dev "$device" | awk '{ print $4 }')
	ip link set dev "$device" mtu "$mtu" up
	# The hub passes packets on; Docker may have set the kernel's forwarding to drop.
	if [[ -n $hub ]] && ! iptables -w -C FORWARD -i "$device" -o "$device" -j ACCEPT 2>/dev/null; then
		iptables -w -I FORWARD -i "$device" -o "$device" -j ACCEPT
	fi
}

down() {
	ip link del dev "$device" 2>/dev/null || true
	if [[ -n $hub ]]; then iptables -w -D FORWARD -i "$device" -o "$device" -j ACCEPT 2>/dev/null || true; fi
}

case $#:${1-} in
1:up | 1:down | 1:key | 1:rotate) "$1" ;;
2:has | 2:take) "$1" "$2" ;;
*)
	usage
	exit 2
	;;
esac
