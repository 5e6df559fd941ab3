# Fetches the Debian packages that the runbook installs, with all that they depend on, to be carried to where no mirror is. It
# runs where one is within reach, on any machine with apt-get, whatever its own Debian and processors are.

usage() {
	cat <<'END'
Usage: packages/fetch.sh [--mirror URL] [--security-mirror URL] [--keyring FILE] DIR

Fetches packages into DIR/RELEASE_ARCHITECTURE, for each kind of node in the spec: a small repository with the lists as
Debian signed them, so that a node's own keys prove all of it. What is there already is not fetched again.
runbook.sh run --packages DIR installs from it. Needs apt-get.

  --mirror URL           of Debian (http://deb.debian.org/debian)
  --security-mirror URL  of its security fixes (http://deb.debian.org/debian-security)
  --keyring FILE         Debian's keys (/usr/share/keyrings/debian-archive-keyring.gpg)
END
}

# fail TEXT [CODE]
fail() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	exit "${2:-4}"
}

# make DIR...
make() {
	local why
	why=$(LC_ALL=C mkdir -p -- "$@" 2>&1) || fail "$1: cannot be written: ${why##*: }"
}

# put FILE TARGET
put() {
	local why
	why=$(LC_ALL=C install -D -m 0644 -- "$1" "$2" 2>&1) || fail "$2: ${why##*: }"
}

mirror=http://deb.debian.org/debian security=http://deb.debian.org/debian-security
keyring=/usr/share/keyrings/debian-archive-keyring.gpg directory=''

parse() {
	while (($#)); do
		case $1 in
		--mirror | --security-mirror | --keyring)
			[[ -n ${2:-} ]] || fail "$1: want a value" 2
			option "$1" "$2"
			shift
			;;
		-h | --help)
			usage
			exit
			;;
		-*) fail "$1: no such option; see --help" 2 ;;
		*)
			[[ -z $directory ]] || fail 'want one DIR; see --help' 2
			directory=$1
			;;
		esac
		shift
	done
	[[ -n $directory ]] || fail 'want DIR; see --help' 2
}

# option NAME VALUE
option() {
	case $1 in
	--keyring) keyring=$2 ;;
	*)
		[[ $2 =~ ^[a-z][a-z+.-]*:[!-~]+$ ]] || fail "$1 $2: want a URL" 2
		;;&
	--mirror) mirror=${2%/} ;;
	--security-mirror) security=${2%/} ;;
	esac
}

# begin RELEASE ARCHITECTURE makes the directory that apt-get works in: an empty machine of that kind. What an earlier call
# fetched is still there.
begin() {
	local ending=gpg trust="arch=$2 lang=none target=Packages"
	at=$part/apt
	make "$at"/{etc/{preferences.d,trusted.gpg.d},lists/partial,cache/archives/partial,none/partial}
	if grep -qs 'BEGIN PGP' "$keyring"; then ending=asc; fi
	rm -f -- "$at"/etc/trusted.gpg.d/*
	put "$keyring" "$at/etc/trusted.gpg.d/keyring.$ending"
	put /dev/null "$at/status"
	put /dev/stdin "$at/etc/sources.list" < <(printf 'deb [%s] %s %s main\n' "$trust" "${mirror/#file:/copy:}" "$1" "$trust" "${security/#file:/copy:}" "$1-security")
	# The machine's own settings hold for the way to the mirror alone: a proxy, a login.
	options=(
		-o "Dir::Etc=$at/etc" -o Dir::Etc::sourcelist=sources.list -o Dir::Etc::sourceparts=- -o Dir::Etc::trusted=- -o Dir::Etc::trustedparts=trusted.gpg.d
		-o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=preferences.d -o Dir::Etc::netrc=/etc/apt/auth.conf -o Dir::Etc::netrcparts=/etc/apt/auth.conf.d
		-o "Dir::State=$at" -o "Dir::State::status=$at/status" -o "Dir::State::lists=$at/lists" -o "Dir::Cache=$at/cache"
		-o "APT::Architecture=$2" -o "APT::Architectures=$2" -o APT::Default-Release= -o APT::Install-Recommends=false -o APT::Update::Error-Mode=any
		-o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false -o Acquire::AllowWeakRepositories=false
		-o Acquire::PDiffs=false -o Acquire::GzipIndexes=true -o 'Acquire::IndexTargets::deb::Packages::KeepCompressedAs=xz gz'
		-o Acquire::ForceHash=SHA256 -o Debug::NoLocking=true -o Acquire::Retries=2
	)
}

# ask COMMAND ARG...: apt-get or apt-cache of that machine; what it says of a mistake becomes one line.
ask() {
	local why
	LC_ALL=C "$1" -q "${options[@]}" "${@:2}" >"$part/said" 2>&1 </dev/null && return
	why=$(sed -n 's/^W: GPG error: \(.*\)/\1 (--keyring names the file of keys)/p; s/^E: //p' "$part/said" | head -n 1)
	fail "$what: ${why:-$(tail -n 1 "$part/said")}"
}

# names PACKAGE... prints those that there are. Debian 12 has the command line of Docker in docker.io itself.
names() {
	local name
	for name; do
		[[ $name != docker-cli ]] || LC_ALL=C apt-cache "${options[@]}" show "$name" >/dev/null 2>&1 || continue
		printf '%s\n' "$name"
	done
}

# rows prints what apt-get would install, as it says it: place, name of the file, size, sum.
rows() { sed -n "s/^'\([^' ]*\)' \([^ ]*\) [0-9]* SHA256:\([0-9a-f]\{64\}\)$/\1 \2 \3/p" "$part/said"; }

# place URL sets path to where a package of the mirrors lies in the repository.
place() {
	local url=$1
	case $url in
	"${mirror/#file:/copy:}"/*) path=debian/${url#"${mirror/#file:/copy:}"/} ;;
	"${security/#file:/copy:}"/*) path=security/${url#"${security/#file:/copy:}"/} ;;
	*) fail "$what: $url is not on a mirror that was named" ;;
	esac
	printf -v path '%b' "${path//%/\\x}"
	[[ $path =~ ^(debian|security)/[A-Za-z0-9][A-Za-z0-9./_+~:-]*\.deb$ && $path != */../* ]] || fail "$what: $url is a strange place for a package"
}

# reuse takes what an earlier call brought to its end, so that apt-get finds it.
reuse() {
	local url file sum path
	while read -r url file sum; do
		place "$url"
		[[ ! -e $at/cache/archives/$file ]] || continue
		if is "$to/$path" "$sum"; then put "$to/$path" "$at/cache/archives/$file"; fi
	done
}

# is FILE SUM
is() {
	local sum
	[[ -f $1 ]] || return 1
	read -r sum _ < <(sha256sum -- "$1")
	[[ ${sum#\\} == "$2" ]]
}

# lay_out puts the packages where their lists say.
lay_out() {
	local url file sum path
	rm -rf -- "$part/tree"
	while read -r url file sum; do
		place "$url"
		if ! is "$at/cache/archives/$file" "$sum"; then
			rm -f -- "$at/cache/archives/$file"
			fail "$what: $file is not what its list says; it was removed, so run again"
		fi
		put "$at/cache/archives/$file" "$part/tree/$path"
		count=$((count + 1))
	done
}

# lists RELEASE ARCHITECTURE FOLDER puts the lists beside them, as they came.
lists() {
	local to=$part/tree/$3/dists/$1 file from=("$at"/lists/*_dists_"$1"_InRelease) all=("$at"/lists/*_dists_"$1"_main_binary-"$2"_Packages*)
	[[ -e ${from[0]} ]] || fail "$what: the mirror has no InRelease of $1"
	[[ -e ${all[0]} ]] || fail "$what: the mirror has no list of the packages of $1"
	put "${from[0]}" "$to/InRelease"
	for file in "${all[@]}"; do put "$file" "$to/main/binary-$2/${file##*_}"; done
}

# fetch RELEASE ARCHITECTURE PACKAGE...
fetch() {
	local to=$directory/$1_$2 part=$directory/$1_$2.part what="$1 for $2" at count=0 options=() list=()
	begin "$1" "$2"
	find "$at/lists" -maxdepth 1 -type f -delete # of another mirror, perhaps
	ask apt-get update
	mapfile -t list < <(names "${@:3}")
	ask apt-get install --print-uris --yes --no-install-recommends -o "Dir::Cache::archives=$at/none" "${list[@]}"
	rows >"$part/rows"
	reuse <"$part/rows"
	ask apt-get install --download-only --yes --no-install-recommends "${list[@]}"
	lay_out <"$part/rows"
	lists "$1" "$2" debian
	lists "$1-security" "$2" security
	rm -rf -- "$to.old"
	[[ ! -e $to ]] || mv -T -- "$to" "$to.old"
	mv -T -- "$part/tree" "$to" || fail "$to: cannot be written"
	rm -rf -- "$to.old" "$part"
	printf '%s: %d packages for %s\n' "$to" "$count" "${list[*]}" >&2
}

parse "$@"
for tool in apt-get apt-cache sha256sum; do
	command -v "$tool" >/dev/null || fail "$tool is not here: run it on Debian, or on another machine that has apt"
done
[[ -r $keyring ]] || fail "$keyring: cannot be read: install debian-archive-keyring, or name another file with --keyring"
make "$directory"
directory=$(realpath -- "$directory")
for row in "${wanted[@]}"; do
	read -r -a words <<<"$row"
	fetch "${words[@]}"
done
