# The NFS server: its exports, fixed ports, and the units that only NFSv3 needs switched off.

files() { printf '%s\n' "${nfs_sources[@]}"; }

# exports_of_others: the share is for the nodes alone, and read-only; what somebody else exports of it, or around it, is not.
exports_of_others() {
	local file path others='' files=()
	for file in /etc/exports /etc/exports.d/*.exports; do
		if [[ -r $file && $file != "${nfs_targets[0]}" ]]; then files+=("$file"); fi
	done
	((${#files[@]})) || return 0
	while IFS=$'\t' read -r file path; do
		if [[ $share/ == "${path%/}"/* || $path/ == "$share"/* ]]; then
			refuse "$file exports $path, and $share is to be read-only, and for the nodes alone" "take it out of $file, run exportfs -ra, then run again"
		fi
		others+=" $path"
	done < <(awk '
		{ line = line $0 }
		/\\$/ { sub(/\\$/, " ", line); next }
		line ~ /^[ \t]*["\/]/ {
			sub(/^[ \t]*/, "", line)
			if (line ~ /^"/) { sub(/^"/, "", line); sub(/".*/, "", line) } else sub(/[ \t].*/, "", line)
			print FILENAME "\t" line
		}
		{ line = "" }' "${files[@]}")
	[[ -z $others || -e $kept/owned${nfs_targets[0]} ]] || note "this node exports$others too: the firewall opens NFS to the nodes alone"
}

check() {
	exports_of_others
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
