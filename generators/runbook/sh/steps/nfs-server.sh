# The NFS server: its exports, fixed ports, and the units that only NFSv3 needs switched off.

files() { printf '%s\n' "${nfs_sources[@]}"; }

# exports_of_others: the shares are for the nodes alone; what somebody else exports of one, or around it, is not.
exports_of_others() {
	local file path mode share others='' files=()
	for file in /etc/exports /etc/exports.d/*.exports; do
		if [[ -r $file && $file != "${nfs_targets[0]}" ]]; then files+=("$file"); fi
	done
	((${#files[@]})) || return 0
	while IFS=$'\t' read -r file path; do
		while read -r mode share; do
			[[ $share/ == "${path%/}"/* || $path/ == "$share"/* ]] || continue
			if [[ $mode == ro ]]; then mode='read-only, and '; else mode=''; fi
			refuse "$file exports $path, and $share is to be ${mode}for the nodes alone" "take it out of $file, run exportfs -ra, then run again"
		done < <(printf '%s\n' "${shares[@]}")
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
	has_settings || would "restart $nfs_unit with its settings"
}

# settings of the server: all but the exports, which exportfs tells the kernel while clients read and write on.
settings() { digest_of "${nfs_targets[@]:1}"; }

digest_of() { { cat -- "$@" 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

# has_settings: an older skep counted the exports, too.
has_settings() { has_text "$kept/nfs.running" "$(settings)" || has_text "$kept/nfs.running" "$(digest_of "${nfs_targets[@]}")"; }

# keep_before remembers a server that ran before skep came. The package starts it by itself, so one that the step packages
# installed is skep's.
keep_before() {
	[[ ! -e $kept/nfs.before && ! -e $kept/nfs.running ]] || return 0
	if systemctl is-enabled --quiet "$nfs_unit" 2>/dev/null && ! grep -qsx nfs-kernel-server "$kept/installed"; then echo on; else echo off; fi >"$kept/nfs.before"
}

apply() {
	local i
	keep_before
	if has_settings; then settings >"$kept/nfs.running"; fi
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
	local mode share
	while read -r mode share; do
		exportfs -s | awk -v path="$share" -v mode="$mode" '$1 == path && $0 ~ "[(,-]" mode "[,)]" { found = 1 } END { exit !found }' ||
			refuse "$share is not exported $mode"
	done < <(printf '%s\n' "${shares[@]}")
}

# The files in the shares stay.
undo() {
	local i
	for i in "${nfs_targets[@]}"; do take_back "$i"; done
	release_units
	exportfs -ra || true
	if has_text "$kept/nfs.before" on; then
		systemctl restart "$nfs_unit"
	else
		systemctl disable --quiet --now "$nfs_unit" || true
	fi
	rm -f -- "$kept/nfs.running" "$kept/nfs.before"
}
