# The OpenVPN server: its certificate and revocation list from this machine's state directory, its configuration and unit.

files() { printf '%s\n' "${sources[@]}"; }

prepare() {
	local source=$state/vpn/server pem
	for pem in "${pems[@]}"; do
		if [[ ! -r $source/$pem ]]; then
			say "$source has no $pem yet: the step vpn-authorities makes it" >&2
			return 1
		fi
	done
	printf 'declare -A want=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(sha256sum <"$source/$pem" | cut -d ' ' -f 1)"; done
	printf ')\n'
	[[ $phase == apply ]] || return 0
	printf 'declare -A pem_of=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(<"$source/$pem")"; done
	printf ')\n'
}

check() {
	local i pem
	for i in "${!sources[@]}"; do would_install "${sources[i]}" "${targets[i]}"; done
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$directory/$pem") == "${want[$pem]}" ]] || would "install $directory/$pem"
	done
	systemctl is-enabled --quiet "$unit" 2>/dev/null || would "enable $unit"
	systemctl is-active --quiet "$unit" || would "start $unit"
	[[ -f $kept/vpn.running && $(<"$kept/vpn.running") == "$(settings)" ]] || would "restart $unit with its settings"
}

settings() { { cat -- "${targets[@]}" "$directory"/*.pem "$directory"/*.key 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

apply() {
	local i pem mode
	install -d -m 0755 "$directory"
	for i in "${!sources[@]}"; do
		mode=0644
		[[ ${sources[i]} != *.sh ]] || mode=0755
		put "${sources[i]}" "${targets[i]}" "$mode"
	done
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$directory/$pem") != "${want[$pem]}" ]] || continue
		write_secret "$directory/$pem" <<<"${pem_of[$pem]}"
		say "installed $directory/$pem"
	done
	# The server looks at the list for each client, after it has given up its rights.
	chmod 0755 "$directory"
	chmod 0644 "$directory/crl.pem"
	systemctl daemon-reload
	systemctl enable --quiet "$unit"
	# A restart ends the sessions of clients that were revoked; the others are back within seconds.
	if ! systemctl is-active --quiet "$unit" || [[ ! -f $kept/vpn.running || $(<"$kept/vpn.running") != "$(settings)" ]]; then
		systemctl restart "$unit" || refuse "$unit does not start; last words:" "$(journalctl -u "$unit" -n 20 --no-pager 2>/dev/null || true)"
	fi
	settings >"$kept/vpn.running"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'the VPN server is not as wanted'
	wait_for 20 "the interface $device" is_up || refuse "$unit runs without its interface $device; last words:" "$(journalctl -u "$unit" -n 20 --no-pager 2>/dev/null || true)"
}

is_up() { ip -o link show dev "$device" >/dev/null 2>&1; }

undo() {
	local i
	systemctl disable --quiet --now "$unit" || true
	for i in "${targets[@]}"; do take_back "$i"; done
	for i in "${pems[@]}"; do rm -f -- "$directory/$i"; done
	rm -f -- "$kept/vpn.running"
	# The addresses that clients had stay in its state directory: they have them again when the server comes back.
	[[ ! -d $directory ]] || rmdir --ignore-fail-on-non-empty -- "$directory"
	systemctl daemon-reload
}
