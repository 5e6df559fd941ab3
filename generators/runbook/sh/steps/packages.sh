# Debian packages that the later steps need. A site without apt installs them by hand.

# wanted prints the packages whose command is missing.
wanted() {
	local row command package group
	for row in "${packages[@]}"; do
		read -r command package group <<<"$row"
		[[ " all $duties " == *" $group "* ]] || continue
		has "$command" || printf '%s\n' "$package"
	done
}

check() {
	local missing
	missing=$(wanted)
	[[ -n $missing ]] || return 0
	has apt-get || refuse "missing: ${missing//$'\n'/ }; this node has no apt-get" 'install what gives the same commands, then run again'
	would "install ${missing//$'\n'/ }"
}

apply() {
	local missing
	missing=$(wanted)
	[[ -n $missing ]] || return 0
	export DEBIAN_FRONTEND=noninteractive
	# An interrupted installation is finished first.
	dpkg --configure -a
	apt-get -q update || say 'apt-get update failed; trying with the lists that are here'
	# Debian 12 has the command line in docker.io itself.
	if ! apt-cache show docker-cli >/dev/null 2>&1; then missing=${missing/docker-cli/}; fi
	# shellcheck disable=SC2086 # a list of package names
	if ! apt-get -q install --yes --no-install-recommends -o Dpkg::Lock::Timeout=120 $missing; then
		refuse "apt-get cannot install ${missing//$'\n'/ }" 'on a site without a mirror, install these packages from a disk, then run again'
	fi
}

verify() {
	local missing
	missing=$(wanted)
	[[ -z $missing ]] || refuse "still missing: ${missing//$'\n'/ }"
}
