# WireGuard between the nodes. A changed configuration is taken up without an interruption.

files() { printf '%s\n' "${mesh_sources[@]}" "$mesh_conf" "$mesh_hub_conf"; }

mine() { if [[ -z $mesh_hub || $host == "$mesh_hub" ]]; then printf '%s' "$mesh_hub_conf"; else printf '%s' "$mesh_conf"; fi; }

known() {
	local row
	for row in "${mesh_keys[@]}"; do
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
	[[ -x $mesh_command ]] || unknown 'the step mesh-keys comes first'
	elsewhere
	known_key=$(known)
	"$mesh_command" has "$known_key" || refuse_in_turn "the key of $host is $("$mesh_command" key), and the spec has ${known_key:-none}" \
		"put STATE/mesh.cue, which the step mesh-collect wrote, beside the spec; build, and run again"
	for i in "${!mesh_sources[@]}"; do would_install "${mesh_sources[i]}" "${mesh_targets[i]}"; done
	would_install "$(mine)" "$mesh_installed"
	has_text "$mesh_address" "$address" || would "take the address $address"
	systemctl is-enabled --quiet "$mesh_unit" 2>/dev/null || would "enable $mesh_unit"
	systemctl is-active --quiet "$mesh_unit" || would "start $mesh_unit"
	taken_up || would "reload $mesh_unit with its settings"
}

settings() { { cat -- "${mesh_targets[@]}" "$mesh_installed" "$mesh_address" 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

# taken_up: the tunnel runs with these settings, and with the key that the spec has.
taken_up() {
	has_text "$kept/mesh.running" "$(settings)" &&
		[[ $(wg show "$mesh_device" public-key 2>/dev/null || true) == "$(known)" ]]
}

apply() {
	put "${mesh_sources[0]}" "${mesh_targets[0]}" 0755
	put "${mesh_sources[1]}" "${mesh_targets[1]}" 0644
	put "$(mine)" "$mesh_installed" 0644
	printf '%s\n' "$address" >"$mesh_address"
	"$mesh_command" take "$(known)"
	systemctl daemon-reload
	systemctl enable --quiet "$mesh_unit"
	if ! systemctl is-active --quiet "$mesh_unit"; then
		systemctl start "$mesh_unit" || refuse "$mesh_unit does not start; last words:" "$(last_words "$mesh_unit")"
	elif ! taken_up; then
		systemctl reload "$mesh_unit" || refuse "$mesh_unit does not take its new settings; last words:" "$(last_words "$mesh_unit")"
	fi
	settings >"$kept/mesh.running"
}

verify() {
	nothing_left 'the mesh is not as wanted'
	[[ -n $(ip -o address show dev "$mesh_device" to "$address") ]] || refuse "$mesh_device has not the address $address"
}

undo() {
	local i
	systemctl disable --quiet --now "$mesh_unit" || true
	for i in "${mesh_targets[1]}" "$mesh_installed"; do take_back "$i"; done
	rm -f -- "$mesh_address" "$kept/mesh.running"
	systemctl daemon-reload
}
