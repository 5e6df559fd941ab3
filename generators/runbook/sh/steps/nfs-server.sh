# The NFS server: its exports, fixed ports, and the units that only NFSv3 needs switched off.

files() { printf '%s\n' "${sources[@]}"; }

check() {
	local i
	for i in "${!sources[@]}"; do would_install "${sources[i]}" "${targets[i]}"; done
	units_right || would "mask or unmask ${masked[*]}${unmasked[*]}"
	systemctl is-active --quiet "$unit" || would "start $unit"
	[[ -f $kept/nfs.running && $(<"$kept/nfs.running") == "$(settings)" ]] || would "restart $unit with its settings"
}

settings() { { cat -- "${targets[@]}" 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

apply() {
	local i
	for i in "${!sources[@]}"; do put "${sources[i]}" "${targets[i]}" 0644; done
	set_units
	systemctl enable --quiet "$unit"
	if ! systemctl is-active --quiet "$unit" || [[ ! -f $kept/nfs.running || $(<"$kept/nfs.running") != "$(settings)" ]]; then
		systemctl restart "$unit" || refuse "$unit does not start; last words:" "$(journalctl -u "$unit" -n 20 --no-pager 2>/dev/null || true)"
	fi
	exportfs -ra
	settings >"$kept/nfs.running"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'the NFS server is not as wanted'
	exportfs -s | grep -F -- "$share" >/dev/null || refuse "$share is not exported"
}

# The files in the share stay.
undo() {
	local i
	for i in "${targets[@]}"; do take_back "$i"; done
	rm -f -- "$kept/nfs.running"
	exportfs -ra || true
	systemctl disable --quiet --now "$unit" || true
	((${#masked[@]} == 0)) || systemctl unmask --quiet "${masked[@]}"
}
