# The units that only NFSv3 needs, for server and clients.

# state_of UNIT prints masked, enabled, ...
state_of() { systemctl is-enabled "$1" 2>/dev/null || true; }

# units_right: what only NFSv3 needs is off where it is not wanted.
units_right() {
	local name
	for name in "${masked[@]}"; do
		[[ $(state_of "$name") == masked ]] || return 1
	done
	for name in "${unmasked[@]}"; do
		[[ $(state_of "$name") != masked ]] || return 1
	done
}

set_units() {
	local name
	for name in "${masked[@]}"; do
		[[ $(state_of "$name") == masked ]] || printf '%s\n' "$name" >>"$kept/masked"
	done
	if ((${#masked[@]})); then systemctl mask --quiet --now "${masked[@]}"; fi
	if ((${#unmasked[@]})); then systemctl unmask --quiet "${unmasked[@]}"; fi
}

# release_units unmasks what skep masked. An older skep did not keep what that was.
release_units() {
	local names=("${masked[@]}")
	if [[ -e $kept/masked ]]; then
		mapfile -t names < <(sort -u "$kept/masked")
		: >"$kept/masked"
	fi
	((${#names[@]} == 0)) || systemctl unmask --quiet "${names[@]}"
}
