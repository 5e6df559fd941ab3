# A changed firewall.backend: what an older bundle left of another one. While the new rules are on trial the old ones stay
# loaded as well: a packet must pass both, and when nobody confirms, the node has what it had before.

apply_rules() { "${backend}_apply" "$@"; }

loaded() { "${backend}_loaded"; }

unload() { "${backend}_unload"; }

# left_over prints what is there of other backends.
left_over() {
	local row name files file
	for row in "${others[@]}"; do
		read -r name files <<<"$row"
		if "${name}_left"; then echo "also loaded: the rules of the $name backend, from an older bundle"; fi
		for file in $files; do
			if [[ -e $file ]]; then echo "also installed: $file, from an older bundle"; fi
		done
	done
}

# drop_others unloads and uninstalls them.
drop_others() {
	local row name files
	for row in "${others[@]}"; do
		read -r name files <<<"$row"
		if "${name}_left"; then "${name}_unload" || return 1; fi
		# shellcheck disable=SC2086 # paths of skep's own have no spaces
		rm -f -- $files
	done
}

# load_other loads the rules of another backend where the change to this one was never confirmed.
load_other() {
	local row name files file
	for row in "${others[@]}"; do
		read -r name files <<<"$row"
		for file in $files; do
			[[ -s $file ]] || continue 2
			[[ ! -e $digests ]] || is_confirmed "$file" || continue 2
		done
		# shellcheck disable=SC2086
		"${name}_apply" $files || continue
		say "nobody confirmed the rules of the $backend backend, so those of the $name backend are loaded; run the runbook's step firewall"
		return
	done
	return 1
}
