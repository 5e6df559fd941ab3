# Writes images.lock, which says of every image what its name stands for in its registry. It runs where the registries are
# within reach, with the logins that skopeo has, and fetches manifests alone.

usage() {
	cat <<'END'
Usage: images/lock.sh [--platform PLATFORM]... FILE [LIST]

Writes images.lock as FILE, for the images of LIST, one a line: images.txt of this bundle unless told, - for stdin. An image
with a digest keeps it. FILE stays as it is when something fails. Needs skopeo and jq.

  --platform  such as linux/arm64, instead of those of the spec
END
}

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

# row PLATFORM MANIFEST prints what the lock says of a platform, whose manifest is in the file one.
row() {
	jq --exit-status --raw-output --arg platform "$1" --arg manifest "$2" '
		select(.config.digest | strings | test("^sha256:[0-9a-f]{64}$"))
			| "        \"\($platform)\": {\"manifest\": \"\($manifest)\", \"config\": \"\(.config.digest)\", \"size\": \([.config.size, .layers[].size] | add)}"
	' "$work/one"
}

# lock_image NAME REFERENCE prints an entry of the lock.
lock_image() {
	local digest index platform manifest text rows=() at
	at=$2
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
		text=$(row "$platform" "$manifest") || fail "$1: $platform: is not an image" 1
		rows+=("$text")
	done
	((${#rows[@]})) || fail "$1: is made for none of ${platforms[*]}" 1
	printf '    {\n      "image": "%s",\n      "index": "%s",\n      "platforms": {\n' "$1" "$index"
	joined "${rows[@]}"
	printf '      }\n    }'
}

# joined prints lines with commas between them.
joined() {
	printf '%s' "$1"
	shift
	(($# == 0)) || printf ',\n%s' "$@"
	printf '\n'
}

lock() {
	local name comma=''
	printf '{\n  "schema": "skep.dev/images/v1",\n  "images": [\n'
	while IFS= read -r name; do
		printf '%s' "$comma"
		comma=$',\n'
		lock_image "$name" "${images[$name]}"
	done < <(printf '%s\n' "${!images[@]}" | LC_ALL=C sort)
	printf '\n  ]\n}\n'
}

chosen=()
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
(($# == 1 || $# == 2)) || fail 'want FILE [LIST]; see --help' 2
file=$1 list=${2:-${BASH_SOURCE[0]%/*}/../images.txt}
((${#chosen[@]})) || chosen=("${spec_platforms[@]}")
readonly -a platforms=("${chosen[@]}")

for tool in skopeo jq; do
	command -v "$tool" >/dev/null || fail "$tool is not here: install it"
done

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

declare -A images=()
if [[ $list == - ]]; then
	read_list
else
	[[ -r $list ]] || fail "$list: cannot be read"
	read_list <"$list"
fi
((${#images[@]})) || fail 'the list has no image' 1
lock >"$work/lock"
cp -- "$work/lock" "$file.new" && mv -f -- "$file.new" "$file" || fail "$file: cannot be written"
printf '%s: %d images for %s\n' "$file" "${#images[@]}" "${platforms[*]}" >&2
