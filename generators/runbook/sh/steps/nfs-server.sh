# The NFS server: its exports, fixed ports, and the units that only NFSv3 needs switched off.

files() { printf '%s\n' "${nfs_sources[@]}"; }

check() {
	local i
	for i in "${!nfs_sources[@]}"; do would_install "${nfs_sources[i]}" "${nfs_targets[i]}"; done
	units_right || would "mask or unmask ${masked[*]}${unmasked[*]}"
	systemctl is-active --quiet "$nfs_unit" || would "start $nfs_unit"
	has_text "$kept/nfs.running" "$(settings)" || would "restart $nfs_unit with its settings"
}

settings() { { cat -- "${nfs_targets[@]}" 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

apply() {
	local i
	for i in "${!nfs_sources[@]}"; do put "${nfs_sources[i]}" "${nfs_targets[i]}" 0644; done
	set_units
	systemctl enable --quiet "$nfs_unit"
	if ! systemctl is-active --quiet "$nfs_unit" || ! has_text "$kept/nfs.running" "$(settings)"; then
		systemctl restart "$nfs_unit" || refuse "$nfs_unit does not start; last words:" "$(last_words "$nfs_unit")"
	fi
	exportfs -ra
	settings >"$kept/nfs.running"
}

verify() {
	nothing_left 'the NFS server is not as wanted'
	exportfs -s | grep -F -- "$share" >/dev/null || refuse "$share is not exported"
}

# The files in the share stay.
undo() {
	local i
	for i in "${nfs_targets[@]}"; do take_back "$i"; done
	rm -f -- "$kept/nfs.running"
	exportfs -ra || true
	systemctl disable --quiet --now "$nfs_unit" || true
	((${#masked[@]} == 0)) || systemctl unmask --quiet "${masked[@]}"
}
