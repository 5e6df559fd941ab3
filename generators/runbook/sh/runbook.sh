# Builds the cluster step by step, and takes it back. Begin with: ./runbook.sh --help
#
# Only what MANIFEST lists is read, executed or sent to a node. The listed files are copied into a private directory,
# compared with their digests there, and used from there: nobody can change them between the look and the use.

# plain is the one way of text that skep did not write: to the terminal, and into files that people read. From stdin to
# stdout pass printable ASCII and well-formed UTF-8; what steers a terminal or turns the direction of a line becomes "?".
# Arguments are flags of sed.
# shellcheck disable=SC2120 # the parts pass them
plain() {
	LC_ALL=C sed "$@" -E '
		s/\r$//
		s/\t/ /g
		s/[\x00-\x1f\x7f]/?/g
		/[\x80-\xff]/ {
			s/([ -~]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf4][\x80-\xbf]{3})|./\1/g
			s/\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]/?/g
		}'
}

# is_plain TEXT: plain would change nothing, so sed need not be asked.
is_plain() { [[ $1 != *[!\ -~$'\n']* ]]; }

# say TEXT... is a line on stdout, or more.
say() {
	if is_plain "$*"; then printf '%s\n' "$*"; else printf '%s\n' "$*" | plain; fi
}

# die CODE TEXT
die() {
	say "runbook: $2" >&2
	exit "$1"
}

# read_manifest FILE fills listed and sums, and takes no line that skep would not write.
read_manifest() {
	local line sum path number=0
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		sum=${line%%  *} path=${line#*  }
		if [[ ! $sum =~ ^[0-9a-f]{64}$ || ! $path =~ ^[A-Za-z0-9._/-]+$ || "/$path/" == */./* || "/$path/" == */../* ||
			"/$path/" == *//* || $path == MANIFEST || -n ${sums[$path]:-} ]]; then
			die 3 "MANIFEST:$number: want a digest, two spaces and a path inside the bundle, each once; $way_out"
		fi
		sums[$path]=$sum
		listed+=("$path")
	done <"$1"
	[[ -n ${sums[runbook.sh]:-} ]] || die 3 "runbook.sh is not in MANIFEST; $way_out"
}

# strange prints what has no place in the bundle, a line each. The folders of listed files are skep's alone; what lies
# beside them is never looked at.
strange() {
	local path top type mode there=()
	local -A tops=([MANIFEST]=1)
	for path in "${listed[@]}"; do
		[[ -e $origin/$path ]] || say "$path: is missing"
		tops[${path%%/*}]=1
	done
	[[ -z $(find "$origin" -maxdepth 0 -perm -o+w) ]] || say "$origin: is writable by everybody: chmod o-w"
	for top in "${!tops[@]}"; do
		if [[ -e $origin/$top || -L $origin/$top ]]; then there+=("$origin/$top"); fi
	done
	while read -r -d '' type mode path; do
		path=${path#"$origin/"}
		path=${path//$'\n'/?}
		if [[ -n ${sums[$path]:-} || -n ${tops[$path]:-} ]]; then
			[[ $type == [fd] ]] || say "$path: is not a regular file"
		elif [[ $type != d ]]; then
			say "$path: not written by skep; move it out of the bundle"
		fi
		[[ $type == l ]] || (((8#$mode & 2) == 0)) || say "$path: is writable by everybody: chmod o-w"
	done < <(find "${there[@]}" -printf '%y %m %p\0')
}

# refuse_bundle TEXT names each thing that is wrong.
refuse_bundle() {
	local line
	while IFS= read -r line; do say "runbook: $line" >&2; done < <(LC_ALL=C sort -u <<<"$1")
	die 3 "$origin is not the bundle that skep built, and nothing of it was used: $way_out"
}

# check_bundle copies what MANIFEST lists to $bundle, and compares it there.
check_bundle() {
	local path bad
	cp -- "$origin/MANIFEST" "$bundle/MANIFEST"
	read_manifest "$bundle/MANIFEST"
	bad=$(strange 2>&1)
	[[ -z $bad ]] || refuse_bundle "$bad"
	bad=$(cd -- "$origin" && cp --parents --no-dereference -- "${listed[@]}" "$bundle/" 2>&1) || refuse_bundle "$bad"
	bad=$(for path in "${listed[@]}"; do printf '%s  %s\n' "${sums[$path]}" "$bundle/$path"; done | LC_ALL=C sha256sum --check --quiet 2>/dev/null) || {
		bad=${bad//"$bundle/"/}
		refuse_bundle "${bad//: FAILED/: differs from MANIFEST}"
	}
}

readonly way_out='edit the spec and build it again (skep build), or copy the bundle again'

if ((BASH_VERSINFO[0] < 5)); then die 2 "bash $BASH_VERSION is too old: want bash 5"; fi
[[ $OSTYPE == linux* ]] || die 2 "$OSTYPE: want Linux and its GNU tools on this machine"
for tool in sed sort find cp mktemp sha256sum; do
	command -v "$tool" >/dev/null || die 2 "$tool: not found on this machine; install coreutils, findutils and sed"
done
origin=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
[[ -f $origin/MANIFEST && ! -L $origin/MANIFEST ]] || die 3 "$origin/MANIFEST: no such file, so nobody knows what skep built; $way_out"
private=$(mktemp -d "${TMPDIR:-/tmp}/skep.XXXXXX") || die 4 'cannot create a temporary directory'
trap 'rm -rf -- "$private"' EXIT
bundle=$private/bundle
mkdir -- "$bundle"
declare -A sums=()
listed=()
check_bundle
readonly origin private bundle sums listed

for part in names command inventory journal transport order steps survey verbs; do
	# shellcheck source=/dev/null
	source "$bundle/runbook/$part.sh"
done
main "$@"
