# Debian packages that the later steps need: from where the node's apt gets its own, or from those that were brought along. A
# site without apt installs them by hand.

# Where brought packages are on a node while this step is at work; and the keys that prove them, which are the node's own.
readonly carried=/var/cache/skep-packages keys=/usr/share/keyrings/debian-archive-keyring.gpg

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

# folder HOST prints where the packages for a node lie, if any were brought.
folder() {
	! bring "$packages_directory" || printf '%s/%s_%s\n' "$packages_directory" "${inventory_release[$1]}" "${inventory_architecture[$1]}"
}

# prepare tells the node what was brought for it: the folder, whether it is there, and the engine in it.
prepare() {
	local from there=no engine=''
	from=$(folder "$host")
	if [[ -n $from && -d $from ]]; then
		there=yes
		engine=$(find "$from" -name "$(engine_package)_*.deb" -printf '%f\n' | sort | tail -n 1)
		engine=${engine#*_}
	fi
	given release "${inventory_release[$host]}"
	given brought "$from"
	given there "$there"
	given engine_brought "${engine%%_*}"
}

# fits refuses what was brought for another machine than this one.
fits() {
	local is
	[[ -n $brought ]] || return 0
	is=$(sed -n "s/^VERSION_CODENAME=[\"']\{0,1\}\([a-z]*\).*/\1/p" /etc/os-release) || true
	[[ $is == "$release" ]] || refuse "$host has Debian ${is:-of no name}, and the spec says $release, so the packages that were brought are not for it: set nodes.$host.platform.release, build, and fetch them (packages/fetch.sh)"
	[[ $there == yes ]] || refuse "$brought: no such directory, so no packages were brought for $host: fetch them (packages/fetch.sh)"
}

# candidate refuses an engine that apt would install and engine.versions does not have. Without lists of packages it
# knows nothing.
candidate() {
	local package version=$engine_brought
	package=$(engine_package)
	[[ -n $package && $'\n'$1$'\n' == *$'\n'"$package"$'\n'* ]] || return 0
	[[ -n $brought ]] || version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9][^ ]*\).*/\2/p')
	version=${version%%[-+~]*}
	if [[ -z $version ]] || version_between "$version" "$engine_from" "$engine_below"; then return 0; fi
	refuse "apt would install $package $version, which is outside engine.versions: $engine_from up to, not with, $engine_below" \
		'install an engine of that range yourself and set engine.source: "present"; or change the range; or run apt-get update (where packages are brought: packages/fetch.sh), if the lists are old'
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
		fits
		candidate "$missing"
		would "install ${missing//$'\n'/ }${brought:+ from $brought}"
	fi
	! unheld || would "hold $(engine_package), so that only you upgrade the engine"
}

apply() {
	local missing
	[[ -z $brought ]] || trap 'rm -rf -- "$carried"' EXIT
	missing=$(wanted)
	[[ -z $missing ]] || install_packages "$missing"
	if unheld; then
		: >"$kept/held"
		apt-mark hold "$(engine_package)" >/dev/null
	fi
}

# before carries to a node what it lacks of the packages that were brought.
before() {
	local from
	from=$(folder "$1")
	[[ -n $from && -d $from ]] || return 0
	ask_node "$1" "rm -rf $carried && mkdir -m 0755 $carried && dpkg-query --show --showformat='\${db:Status-Status} \${Package}_\${Version}_\${Architecture}.deb\\n'" >"$work/$1.has" || return
	find "$from" -mindepth 1 -printf '%P\n' | LC_ALL=C sort >"$work/$1.all"
	# Names of files leave out the epoch of a version.
	awk '
		FILENAME == ARGV[1] { if ($1 == "installed") { sub(/_[0-9]+:/, "_", $2); has[$2] = 1 }; next }
		{ name = $0; sub(/.*\//, "", name); if (!(name in has)) print }
	' "$work/$1.has" "$work/$1.all" >"$work/$1.lacks"
	say "carrying $(grep -c 'deb$' "$work/$1.lacks" || true) packages from $from"
	tar --create --no-recursion --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$from" --files-from="$work/$1.lacks" | stream_to "$1" tar --extract -C "$carried"
}

# from_brought sets options: apt asks what was brought, and nobody else. Lists and what it makes of them go with it again; so an old
# list is taken, but none that Debian did not sign.
from_brought() {
	local trust="arch=$architecture lang=none target=Packages by-hash=no check-valid-until=no signed-by=$keys"
	printf 'deb [%s] file:%s %s main\n' "$trust" "$carried/debian" "$release" "$trust" "$carried/security" "$release-security" >"$carried/sources.list"
	mkdir -p "$carried"/{lists,archives}/partial
	options=(
		-o "Dir::Etc::sourcelist=$carried/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$carried/lists"
		-o "Dir::Cache::archives=$carried/archives" -o "Dir::Cache::pkgcache=$carried/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$carried/srcpkgcache.bin"
		-o APT::Update::Error-Mode=any -o APT::Get::AllowUnauthenticated=false
		-o Acquire::AllowInsecureRepositories=false -o Acquire::AllowWeakRepositories=false
	)
}

# lists has apt read what there is.
lists() {
	if [[ -z $brought ]]; then
		apt-get -q update || say 'apt-get update failed; trying with the lists that are here'
		return
	fi
	from_brought
	apt-get -q "${options[@]}" update || refuse "apt does not take the packages of $brought, see above" 'fetch them again (packages/fetch.sh), then run again'
}

# install_packages NAMES
install_packages() {
	local missing=$1 options=() way='on a site without a mirror bring them (packages/fetch.sh), then run again with --packages DIR'
	if [[ -n $brought ]]; then
		fits
		way='fetch them again (packages/fetch.sh), then run again'
	fi
	export DEBIAN_FRONTEND=noninteractive
	# An interrupted installation is finished first.
	dpkg --configure -a
	lists
	candidate "$missing"
	# Debian 12 has the command line in docker.io itself.
	if ! apt-cache "${options[@]}" show docker-cli >/dev/null 2>&1; then missing=${missing/docker-cli/}; fi
	# shellcheck disable=SC2086 # a list of package names
	if ! apt-get -q "${options[@]}" install --yes --no-install-recommends -o Dpkg::Lock::Timeout=120 $missing; then
		refuse "apt-get cannot install ${missing//$'\n'/ }${brought:+ from $brought}" "$way"
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
	rm -rf -- "$carried"
	find "$kept" -mindepth 1 -depth -type d -empty -delete
	if [[ -z $(find "$kept" -type f ! -path "$kept/bundle/*" ! -name lock ! -name installed ! -name masked ! -name directories) ]]; then
		rm -rf -- "$kept"
	else
		note "$kept stays: some steps were not taken back"
	fi
}
