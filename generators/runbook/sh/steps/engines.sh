# The engine of a node: where it comes from, its version, and what is known of it.

engine_fits() {
	local wrong
	[[ ! -e /snap/bin/docker ]] || refuse 'Docker is the one of snap, which cannot be set up: its files are its own' 'snap remove docker, then run again'
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

# is_packaged: the distribution looks after the engine.
is_packaged() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' docker.io 2>/dev/null) == installed ]]; }
