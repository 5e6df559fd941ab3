# WireGuard between the nodes. A changed configuration is taken up without an interruption.

files() { printf '%s\n' "${sources[@]}" "$conf" "$hub_conf"; }

mine() { if [[ -z $hub || $host == "$hub" ]]; then printf '%s' "$hub_conf"; else printf '%s' "$conf"; fi; }

known() {
	local row
	for row in "${keys[@]}"; do
		if [[ ${row% *} == "$host" ]]; then printf '%s' "${row##* }"; fi
	done
}

# elsewhere: a node's address is fixed when it joins, and the firewall that comes next lets the mesh in alone.
elsewhere() {
	local now
	has docker && engine_up || return 0
	now=$(docker info --format '{{.Swarm.NodeAddr}}' 2>/dev/null) || return 0
	[[ -z $now || $now == "$address" ]] || refuse "$host is in a swarm as $now, and the mesh makes it $address" \
		'an address is fixed when a node joins: see "Move a swarm" in README.md'
}

check() {
	local i known_key
	[[ -x $command ]] || unknown 'the step mesh-keys comes first'
	elsewhere
	known_key=$(known)
	"$command" has "$known_key" || refuse "the key of $host is $("$command" key), and the spec has ${known_key:-none}" \
		"put STATE/mesh.cue, which the step mesh-collect wrote, beside the spec; build, and run again"
	for i in "${!sources[@]}"; do would_install "${sources[i]}" "${targets[i]}"; done
	would_install "$(mine)" "$installed_conf"
	[[ -f $address_file && $(<"$address_file") == "$address" ]] || would "take the address $address"
	systemctl is-enabled --quiet "$unit" 2>/dev/null || would "enable $unit"
	systemctl is-active --quiet "$unit" || would "start $unit"
	taken_up || would "reload $unit with its settings"
}

settings() { { cat -- "${targets[@]}" "$installed_conf" "$address_file" 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

# taken_up: the tunnel runs with these settings, and with the key that the spec has.
taken_up() {
	[[ -f $kept/mesh.running && $(<"$kept/mesh.running") == "$(settings)" ]] &&
		[[ $(wg show "$device" public-key 2>/dev/null || true) == "$(known)" ]]
}

last_words() { journalctl -u "$unit" -n 20 --no-pager 2>/dev/null || true; }

apply() {
	put "${sources[0]}" "${targets[0]}" 0755
	put "${sources[1]}" "${targets[1]}" 0644
	put "$(mine)" "$installed_conf" 0644
	printf '%s\n' "$address" >"$address_file"
	"$command" take "$(known)"
	systemctl daemon-reload
	systemctl enable --quiet "$unit"
	if ! systemctl is-active --quiet "$unit"; then
		systemctl start "$unit" || refuse "$unit does not start; last words:" "$(last_words)"
	elif ! taken_up; then
		systemctl reload "$unit" || refuse "$unit does not take its new settings; last words:" "$(last_words)"
	fi
	settings >"$kept/mesh.running"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'the mesh is not as wanted'
	[[ -n $(ip -o address show dev "$device" to "$address") ]] || refuse "$device has not the address $address"
}

undo() {
	local i
	systemctl disable --quiet --now "$unit" || true
	for i in "${targets[1]}" "$installed_conf"; do take_back "$i"; done
	rm -f -- "$address_file" "$kept/mesh.running"
	systemctl daemon-reload
}
