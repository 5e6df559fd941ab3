# Asks every node for its public key, and writes them into a file for the spec.

prepare() {
	local name key
	printf 'collected=()\n'
	printf 'by=%q\n' "$transport"
	for name in "${inventory[@]}"; do
		# Without ssh every question would be asked of this machine.
		[[ $transport != local || $name == "$first_manager" ]] || continue
		if ! key=$(ask_node "$name" "$mesh_command key 2>/dev/null") || [[ ! ${key##*$'\n'} =~ ^[A-Za-z0-9+/]{43}=$ ]]; then
			say "$name has no key yet: the step mesh-keys makes it" >&2
			return 1
		fi
		printf 'collected+=(%q)\n' "$name ${key##*$'\n'}"
	done
}

file() {
	local row
	printf '// Public keys of the mesh. Put this file beside the spec, or the fields into it, and build again.\npackage cluster\n\n'
	for row in "${collected[@]}"; do printf 'cluster: nodes: "%s": mesh: publicKey: "%s"\n' "${row% *}" "${row##* }"; done
}

is_written() { [[ -f $state/mesh.cue && $(<"$state/mesh.cue") == "$(file)" ]]; }

check() { is_written || would "write $state/mesh.cue"; }

apply() {
	file >"$state/mesh.cue.new"
	mv -- "$state/mesh.cue.new" "$state/mesh.cue"
	[[ $by == ssh ]] || say 'it has the key of this node alone: add a line for each other node, with what "skep-mesh key" prints there'
	say "put $state/mesh.cue beside the spec, and build again"
}

verify() { is_written || refuse "$state/mesh.cue is not what the nodes say"; }
