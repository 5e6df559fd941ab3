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

# engine_package prints the package that brings the engine, where the runbook is to install one.
engine_package() { printf '%s\n' "${packages[@]}" | sed -n 's/^dockerd \([^ ]*\) .*/\1/p'; }

# candidate refuses an engine that apt would install and engine.versions does not have. Without lists of packages it
# knows nothing.
candidate() {
	local package version
	package=$(engine_package)
	[[ -n $package && $'\n'$1$'\n' == *$'\n'"$package"$'\n'* ]] || return 0
	version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9][^ ]*\).*/\2/p')
	version=${version%%[-+~]*}
	if [[ -z $version ]] || version_between "$version" "$engine_from" "$engine_below"; then return 0; fi
	refuse "apt would install $package $version, which is outside engine.versions: $engine_from up to, not with, $engine_below" \
		'install an engine of that range yourself and set engine.source: "present"; or change the range; or run apt-get update, if the lists are old'
}

# unheld: the engine's package is there, and an upgrade that nobody watches may restart it.
unheld() {
	local package
	package=$(engine_package)
	[[ -n $package && $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || return 1
	! apt-mark showhold "$package" | grep -qxF -- "$package"
}

check() {
	local missing
	missing=$(wanted)
	if [[ -n $missing ]]; then
		has apt-get || refuse "missing: ${missing//$'\n'/ }; this node has no apt-get" 'install what gives the same commands, then run again'
		candidate "$missing"
		would "install ${missing//$'\n'/ }"
	fi
	! unheld || would "hold $(engine_package), so that only you upgrade the engine"
}

apply() {
	local missing
	missing=$(wanted)
	[[ -z $missing ]] || install_packages "$missing"
	if unheld; then
		: >"$kept/held"
		apt-mark hold "$(engine_package)" >/dev/null
	fi
}

# install_packages NAMES
install_packages() {
	local missing=$1
	export DEBIAN_FRONTEND=noninteractive
	# An interrupted installation is finished first.
	dpkg --configure -a
	apt-get -q update || say 'apt-get update failed; trying with the lists that are here'
	candidate "$missing"
	# Debian 12 has the command line in docker.io itself.
	if ! apt-cache show docker-cli >/dev/null 2>&1; then missing=${missing/docker-cli/}; fi
	# shellcheck disable=SC2086 # a list of package names
	if ! apt-get -q install --yes --no-install-recommends -o Dpkg::Lock::Timeout=120 $missing; then
		refuse "apt-get cannot install ${missing//$'\n'/ }" 'on a site without a mirror, install these packages from a disk, then run again'
	fi
	printf '%s\n' "$missing" >>"$kept/installed"
}

verify() {
	local missing
	missing=$(wanted)
	[[ -z $missing ]] || refuse "still missing: ${missing//$'\n'/ }"
	! unheld || refuse "$(engine_package) is not held: an upgrade that nobody watches would restart the engine"
}

# Packages stay. What somebody else had held stays so. This is the last step to be taken back: with it goes what the runbook
# kept on the node, but for what steps need that were not taken back.
undo() {
	if [[ -e $kept/held ]]; then
		apt-mark unhold "$(engine_package)" >/dev/null
		rm -f -- "$kept/held"
	fi
	find "$kept" -mindepth 1 -depth -type d -empty -delete
	if [[ -z $(find "$kept" -type f ! -path "$kept/bundle/*" ! -name lock ! -name installed ! -name masked ! -name directories) ]]; then
		rm -rf -- "$kept"
	else
		note "$kept stays: some steps were not taken back"
	fi
}
