# What the scripts share that ask registries, with the logins that skopeo has.

# fail TEXT [CODE]
fail() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	exit "${2:-4}"
}

# get REFERENCE FILE [--config] keeps a manifest, or the configuration of an image, byte for byte.
get() {
	skopeo inspect --raw ${3:+"$3"} "docker://$1" >"$2" 2>"$work/why" || fail "$1: $(tail -n 1 "$work/why" | sed 's/^time=.*msg=//')"
}

# sum FILE sets digest to that of a file.
sum() {
	read -r digest _ < <(sha256sum -- "$1")
	digest=sha256:$digest
}

# exactly REFERENCE FILE WANT: what came is what was asked for.
exactly() {
	sum "$2"
	[[ $digest == "$3" ]] || fail "$1: has the digest $digest, want $3" 1
}

# bare IMAGE prints it without tag and digest.
bare() {
	local name=${1%%@*} last
	last=${name##*/}
	printf '%s\n' "${name%"$last"}${last%%:*}"
}

# key IMAGE sets name to what the lock calls it: without its digest, where it has a tag.
key() {
	name=${1%%@*}
	[[ ${name##*/} == *:* ]] || name=$1
}

# read_list fills images, by their names in the lock.
read_list() {
	local image name
	while IFS= read -r image || [[ -n $image ]]; do
		[[ -n $image && $image != '#'* ]] || continue
		[[ $image =~ ^[A-Za-z0-9][A-Za-z0-9._/:@-]*$ ]] || fail "$(printf '%q' "$image") is not the name of an image" 1
		key "$image"
		if [[ ${images[$name]:-} == *@* && $image == *@* && ${images[$name]} != "$image" ]]; then
			fail "$name has two digests in the list" 1
		fi
		if [[ ${images[$name]:-} != *@* ]]; then images[$name]=$image; fi
	done
}

# of_index PLATFORM prints the digest of a platform's manifest in an index, if it is there.
of_index() {
	jq --raw-output --arg os "${1%%/*}" --arg architecture "${1#*/}" '
		[.manifests[] | select(.platform.os == $os and .platform.architecture == $architecture)
			| select((.platform.variant // "") as $variant | $variant == "" or $variant == "v8")][0].digest // empty
	' "$work/top"
}

# each_platform NAME REFERENCE COMMAND calls COMMAND PLATFORM MANIFEST for each platform that an image is made for, with its
# manifest in the file one; index is the digest of what its name leads to.
each_platform() {
	local digest platform manifest at=$2 found=''
	[[ $2 != *@* ]] || at=$(bare "$2")@${2#*@}
	get "$at" "$work/top"
	[[ $2 != *@* ]] || exactly "$2" "$work/top" "${2#*@}"
	sum "$work/top"
	index=$digest
	for platform in "${platforms[@]}"; do
		if jq --exit-status 'has("manifests")' "$work/top" >/dev/null; then
			manifest=$(of_index "$platform")
			[[ -n $manifest ]] || continue
			get "$(bare "$2")@$manifest" "$work/one"
			exactly "$(bare "$2")@$manifest" "$work/one" "$manifest"
		else
			manifest=$index
			cp -- "$work/top" "$work/one"
			get "$(bare "$2")@$manifest" "$work/config" --config
			exactly "$1: its configuration" "$work/config" "$(jq --raw-output .config.digest "$work/one")"
			[[ $(jq --raw-output '"\(.os)/\(.architecture)"' "$work/config") == "$platform" ]] || continue
		fi
		found=yes
		"$3" "$platform" "$manifest"
	done
	[[ -n $found ]] || fail "$1: is made for none of ${platforms[*]}" 1
}

# start NAME... takes the options that all have, sets platforms and rest, and wants the tools that are named.
start() {
	local tool tools=() chosen=()
	while (($#)) && [[ $1 != -- ]]; do
		tools+=("$1")
		shift
	done
	shift
	while (($#)); do
		case $1 in
		--platform)
			[[ ${2:-} =~ ^linux/(amd64|arm64)$ ]] || fail '--platform: want linux/amd64 or linux/arm64' 2
			chosen+=("$2")
			shift 2
			;;
		-h | --help)
			usage
			exit
			;;
		--) shift && break ;;
		-?*) fail "$1: no such option; see --help" 2 ;;
		*) break ;;
		esac
	done
	((${#chosen[@]})) || chosen=("${spec_platforms[@]}")
	readonly -a platforms=("${chosen[@]}")
	rest=("$@")
	(($# == 1 || $# == 2)) || fail "want $wants [LIST]; see --help" 2
	for tool in "${tools[@]}"; do
		command -v "$tool" >/dev/null || fail "$tool is not here: install it"
	done
	work=$(mktemp -d)
	trap 'rm -rf -- "$work"' EXIT
	read_images "${2:-${BASH_SOURCE[0]%/*}/../images.txt}"
}

# read_images LIST
read_images() {
	if [[ $1 == - ]]; then
		read_list
	else
		[[ -r $1 ]] || fail "$1: cannot be read"
		read_list <"$1"
	fi
	((${#images[@]})) || fail 'the list has no image' 1
}

declare -A images=()
