# The OpenVPN server: its certificate and revocation list from this machine's state directory, its configuration and unit.

readonly pems=("${vpn_pems[@]}")

files() { printf '%s\n' "${vpn_sources[@]}"; }

prepare() { hand_over "$state/vpn/server" vpn-authorities "$state/vpn/root.pem" "$origin/vpn/generate-vpn-pki.sh"; }

check() {
	local i
	for i in "${!vpn_sources[@]}"; do would_install "${vpn_sources[i]}" "${vpn_targets[i]}"; done
	would_install_pems "$vpn_directory"
	systemctl is-enabled --quiet "$vpn_unit" 2>/dev/null || would "enable $vpn_unit"
	systemctl is-active --quiet "$vpn_unit" || would "start $vpn_unit"
	has_text "$kept/vpn.running" "$(settings)" || would "restart $vpn_unit with its settings"
}

settings() { { cat -- "${vpn_targets[@]}" "$vpn_directory"/*.pem "$vpn_directory"/*.key 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

apply() {
	local i pem mode
	need_pems
	install -d -m 0755 "$vpn_directory"
	for i in "${!vpn_sources[@]}"; do
		mode=0644
		[[ ${vpn_sources[i]} != *.sh ]] || mode=0755
		put "${vpn_sources[i]}" "${vpn_targets[i]}" "$mode"
	done
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$vpn_directory/$pem") != "${want[$pem]}" ]] || continue
		write_secret "$vpn_directory/$pem" <<<"${pem_of[$pem]}"
		say "installed $vpn_directory/$pem"
	done
	# The server looks at the list for each client, after it has given up its rights.
	chmod 0755 "$vpn_directory"
	chmod 0644 "$vpn_directory/crl.pem"
	systemctl daemon-reload
	systemctl enable --quiet "$vpn_unit"
	# A restart ends the sessions of clients that were revoked; the others are back within seconds.
	if ! systemctl is-active --quiet "$vpn_unit" || ! has_text "$kept/vpn.running" "$(settings)"; then
		systemctl restart "$vpn_unit" || refuse "$vpn_unit does not start; last words:" "$(last_words "$vpn_unit")"
	fi
	settings >"$kept/vpn.running"
}

verify() {
	nothing_left 'the VPN server is not as wanted'
	wait_for 20 "the interface $vpn_device" is_up || refuse "$vpn_unit runs without its interface $vpn_device; last words:" "$(last_words "$vpn_unit")"
}

is_up() { ip -o link show dev "$vpn_device" >/dev/null 2>&1; }

undo() {
	local i
	systemctl disable --quiet --now "$vpn_unit" || true
	for i in "${vpn_targets[@]}"; do take_back "$i"; done
	for i in "${pems[@]}"; do rm -f -- "$vpn_directory/$i"; done
	rm -f -- "$kept/vpn.running"
	# The addresses that clients had stay in its state directory: they have them again when the server comes back.
	[[ ! -d $vpn_directory ]] || rmdir --ignore-fail-on-non-empty -- "$vpn_directory"
	systemctl daemon-reload
}
