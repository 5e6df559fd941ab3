# Every manager keeps what the first one made, so that any of them can take its place: the values of secrets, and the
# records of stacks. The newest file counts. No unlock key and no key of an authority is among them.

readonly records=/var/lib/skep/stacks
readonly amiss='this manager could not take the place of the first one'

# prepare compares what the managers have; in apply it brings what this one lacks. Nothing of it touches a disk on the way.
prepare() {
	local name seconds path
	local -A newest=() from=() own=() first=() wanted=()
	printf 'archives=()\n'
	for name in "${inventory[@]}"; do
		[[ ${inventory_role[$name]} == manager && -z ${silent[$name]:-}${excepted[$name]:-} && $transport == ssh ]] || continue
		while read -r seconds path; do
			[[ $seconds =~ ^[0-9]{1,12}$ && $path =~ ^($store|$records)/[A-Za-z0-9._-]+$ ]] || continue
			if ((seconds > ${newest[$path]:-0})); then newest[$path]=$seconds from[$path]=$name; fi
			if [[ $name == "$host" ]]; then own[$path]=$seconds; fi
			if [[ $name == "$first_manager" ]]; then first[$path]=1; fi
		done < <(ask_node "$name" "stat --format='%Y %n' $store/* $records/* 2>/dev/null || true")
	done
	for path in "${!newest[@]}"; do
		if [[ -z ${first[$path]:-} ]] && is_past "$path"; then
			unset "newest[$path]"
		elif ((${newest[$path]} > ${own[$path]:-0})); then
			wanted[${from[$path]}]+=" ${path#/}"
		fi
	done
	declare -p newest | sed 's/^declare -A/declare -rA/'
	[[ $phase == apply ]] || return 0
	for name in "${!wanted[@]}"; do
		printf 'archives+=(%q)\n' "$(ask_node "$name" "tar --create --directory=/ --${wanted[$name]} | base64 --wrap=0")"
	done
}

# is_past PATH: what the spec no longer has, and cleanup takes away on the first manager.
is_past() {
	local name=${1##*/}
	if [[ $1 == "$records"/* ]]; then
		[[ " ${stacks[*]} " != *" $name "* ]]
	else
		superseded "${name%.password}"
	fi
}

# past prints what cleanup has taken away on the first manager.
past() {
	local path
	[[ $host != "$first_manager" ]] || return 0
	for path in "$store"/* "$records"/*; do
		if [[ -f $path && -z ${newest[$path]:-} ]] && is_past "$path"; then printf '%s\n' "$path"; fi
	done
}

check() {
	need_swarm
	local path
	for path in "${!newest[@]}"; do
		(($(stat --format=%Y -- "$path" 2>/dev/null || echo 0) >= newest[$path])) || would "copy $path from another manager"
	done
	while IFS= read -r path; do would "remove $path"; done < <(past)
}

# Whole files take their places: half of one would be the newest.
apply() {
	local new=$kept/copies archive path
	rm -rf -- "$new"
	install -d -m 0700 -- "$store" "$records" "$new"
	for archive in "${archives[@]}"; do base64 -d <<<"$archive" | tar --extract --directory="$new" --no-same-owner; done
	for path in "${!newest[@]}"; do
		[[ -f $new$path && ! -L $new$path ]] || continue
		mv -f -- "$new$path" "$path"
		say "copied $path"
	done
	rm -rf -- "$new"
	while IFS= read -r path; do rm -f -- "$path"; done < <(past)
}
