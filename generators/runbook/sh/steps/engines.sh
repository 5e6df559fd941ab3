# The engine of a node: where it comes from, its version, and what is known of it.

engine_fits() {
	local wrong
	! compgen -G '/var/lib/snapd/snaps/docker_*.snap' >/dev/null || refuse 'Docker is the one of snap, which cannot be set up: its files are its own' 'snap remove docker, then run again'
	if [[ $engine_source == present ]]; then
		has dockerd && has docker || refuse 'no Docker engine, and engine.source is "present"' "install one from $engine_from up to, not with, $engine_below; or set engine.source: \"debian\""
	fi
	has dockerd || return 0
	wrong=$(misfit)
	[[ -z $wrong ]] || first_run "$wrong" 'install another engine, or change the range'
	say "engine $(engine_version)"
}

# engine_known tells what is known of this node's engine.
engine_known() {
	local version row from below level of text
	has dockerd || return 0
	version=$(engine_version)
	for row in "${engines[@]}"; do
		read -r from below level of text <<<"$row"
		[[ $of != pairs ]] && version_between "$version" "$from" "$below" || continue
		[[ $of != upstream ]] || ! is_packaged || continue
		text="engine $version $text"
		if [[ $level == refuse ]]; then first_run "${text%|*}" "${text##*|}"; else note "${text/|/: }"; fi
	done
}

# compare_engines, on the operator's machine: engines that do not get on with others.
compare_engines() {
	local name line version row from below level of text
	local -A in=() out=()
	for row in "${engines[@]}"; do
		read -r from below level of text <<<"$row"
		[[ $of == pairs ]] || continue
		in=() out=()
		for name in "${inventory[@]}"; do
			line=$(grep -a -m 1 '^engine [0-9]' "$work/$name.answers" 2>/dev/null) || continue
			version=${line#engine }
			[[ $version =~ ^[0-9][0-9.]*$ ]] || continue
			if between "$version" "$from" "$below"; then in[$version]+=" $name"; else out[$version]+=" $name"; fi
		done
		((${#in[@]} && ${#out[@]})) || continue
		text="engines ${!in[*]} (${in[*]# }) beside ${!out[*]} (${out[*]# }) $text"
		# Where all are in service already, this run may be the one that closes a hole.
		level=note
		! grep -qas '^@clock .* out$' "$work"/*.answers || level=stop
		for version in "${!in[@]}"; do
			for name in ${in[$version]}; do printf '%s %s %s\n' "$level" "$name" "${text/|/: }"; done
		done
	done
}

# between VERSION FROM BELOW, where lib.sh is not at hand.
between() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" && $1 != "$3" && $(printf '%s\n' "$1" "$3" | sort -V | head -n 1) == "$1" ]]; }

# is_packaged: the distribution looks after the engine.
is_packaged() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' docker.io 2>/dev/null) == installed ]]; }
