# Brings the mesh up, or to a changed configuration without an interruption. The unit calls it.
#
# The private key is joined to the configuration on its way into the kernel: `wg syncconf` takes a configuration without
# one as the wish to have none, so a reload by wg-quick would cut the node off.

PATH=$PATH:/usr/sbin:/sbin

usage() { echo "usage: ${0##*/} up|down|key" >&2; }

# key makes the private key once, and prints the public one.
key() {
	umask 077
	mkdir -p -- "$directory"
	if [[ ! -s $directory/private.key ]]; then
		wg genkey >"$directory/private.key.new"
		mv -- "$directory/private.key.new" "$directory/private.key"
	fi
	wg pubkey <"$directory/private.key"
}

whole() {
	cat -- "$directory/mesh.conf"
	printf '\n[Interface]\nPrivateKey = %s\n' "$(<"$directory/private.key")"
}

up() {
	# A kernel without WireGuard has it as a program, where that is installed.
	if ! ip link show dev "$device" >/dev/null 2>&1; then
		ip link add dev "$device" type wireguard 2>/dev/null || wireguard-go "$device" >/dev/null 2>&1
	fi
	wg syncconf "$device" <(whole)
	ip address replace "$(<"$directory/address")/$bits" dev "$device"
	ip link set dev "$device" mtu "$mtu" up
	# The hub passes packets on; Docker may have set the kernel's forwarding to drop.
	if [[ -n $hub ]] && ! iptables -w -C FORWARD -i "$device" -o "$device" -j ACCEPT 2>/dev/null; then
		iptables -w -I FORWARD -i "$device" -o "$device" -j ACCEPT
	fi
}

case ${1-} in
up | key) "$1" ;;
down) ip link del dev "$device" 2>/dev/null || true ;;
*)
	usage
	exit 2
	;;
esac
