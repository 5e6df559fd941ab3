#!/usr/bin/env bash
# Verifies an unpacked archive of skep. It is part of each archive, and an archive does not vouch for itself: keep the script
# that came with the first one, or compare its sum with the other side.
set -euo pipefail
export LC_ALL=C # patterns are about bytes

usage() {
	cat <<'END'
Usage: verify.sh [--base DIR] [--allow-older] DIR SIGNERS
       verify.sh [--base DIR] --unsigned DIR

Verifies that the unpacked archive DIR holds what was signed by one of SIGNERS, and nothing else. SIGNERS is a file of
"allowed signers", as ssh-keygen(1) describes it; beside it skep-serials remembers what was accepted last.

  --base DIR      the unpacked archive that this one, a delta, follows: what is left out is copied from there
  --allow-older   accept an archive that was made before the last accepted one
  --unsigned      believe the sums without a signature

Exit codes: 0 good, 1 not what was signed, 2 usage, 3 refused so that nothing is lost, 4 input or output.
END
}

# fail CODE TEXT
fail() {
	printf '%s: %s\n' "${0##*/}" "$2" >&2
	exit "$1"
}

# signed sets signer, or fails.
signed() {
	[[ -f $root/SHA256SUMS.sig ]] || fail 1 "$root: is not signed"
	[[ -r $signers ]] || fail 4 "$signers: cannot be read"
	signer=$(ssh-keygen -Y find-principals -f "$signers" -s "$root/SHA256SUMS.sig" 2>/dev/null) || fail 1 "$root: is signed by nobody in $signers"
	signer=${signer%%$'\n'*}
	ssh-keygen -Y verify -f "$signers" -I "$signer" -n skep-archive -s "$root/SHA256SUMS.sig" <"$root/SHA256SUMS" >/dev/null 2>&1 ||
		fail 1 "$root: SHA256SUMS is not what $signer signed"
}

# read_sums sets sums, by path.
read_sums() {
	local line path
	while IFS= read -r line; do
		path=${line:66}
		[[ $line =~ ^[0-9a-f]{64}\ \ [!-~]+$ && $path != *'\'* && /$path/ != *//* && /$path/ != */./* && /$path/ != */../* && -z ${sums[$path]:-} ]] ||
			fail 1 "$root: SHA256SUMS: $(printf '%q' "$line") is not a line of it"
		sums[$path]=${line:0:64}
	done <"$root/SHA256SUMS"
	((${#sums[@]})) || fail 1 "$root: SHA256SUMS is empty"
}

# read_record sets name and serial; the record's sum is good.
read_record() {
	local form rest
	{ read -r form rest && read -r _ name && read -r _ serial; } <"$root/ARCHIVE" || fail 1 "$root: ARCHIVE is cut off"
	[[ $form == skep-archive && $rest == 1 && $name =~ ^[a-z0-9-]+$ && $serial =~ ^[1-9][0-9]{0,8}$ ]] || fail 1 "$root: ARCHIVE: want the form 1, a name and a serial"
}

# alone: nothing lies here that is not in the sums, as after unpacking over an older archive, and nothing is a link.
alone() {
	local path
	for path in "$root"/**; do
		path=${path#"$root"/}
		[[ -n $path ]] || continue
		[[ ! -L $root/$path ]] || fail 1 "$root/$path: is a link"
		[[ ! -d $root/$path ]] || continue
		case $path in SHA256SUMS | SHA256SUMS.sig | DELTA) continue ;; esac
		[[ -n ${sums[$path]:-} ]] || fail 1 "$root/$path: is not of this archive: unpack it into an empty directory"
	done
}

# sum_of FILE prints its sum.
sum_of() {
	local sum
	read -r sum _ < <(sha256sum -- "$1")
	printf '%s\n' "${sum#\\}"
}

# complete copies what a delta leaves out.
complete() {
	local path
	for path in "${!sums[@]}"; do
		[[ ! -e $root/$path ]] || continue
		if [[ -z $base ]]; then
			[[ ! -e $root/DELTA ]] || fail 1 "$root: is a delta: name the unpacked archive that it follows with --base"
			fail 1 "$root/$path: is missing"
		fi
		[[ -f $base/$path && $(sum_of "$base/$path") == "${sums[$path]}" ]] || fail 1 "$path: is neither in $root nor, as it was signed, in $base"
		[[ $path != */* ]] || mkdir -p -- "$root/${path%/*}"
		cp -- "$base/$path" "$root/$path.part" && mv -f -- "$root/$path.part" "$root/$path" ||
			{ rm -f -- "$root/$path.part" && fail 4 "$root/$path: cannot be written"; }
	done
}

# known reads what was accepted last.
known() {
	local of number sum
	[[ -e $serials ]] || return 0
	while read -r of number sum; do
		[[ $of == "$name" ]] || continue
		last=$number last_sum=$sum
	done <"$serials"
}

# newer refuses what was made before the last accepted archive, and another one of its number.
newer() {
	local last=0 last_sum='' sum
	sum=$(sum_of "$root/SHA256SUMS")
	known
	if ((serial < last)); then
		[[ -n $allow_older ]] || fail 3 "$root: is serial $serial of $name, and $last was accepted already; --allow-older if you go back on purpose"
		return 0
	fi
	if ((serial == last)) && [[ $sum != "$last_sum" ]]; then
		fail 3 "$root: is another serial $serial of $name than the one that was accepted: want a new number"
	fi
	remember "$sum"
}

remember() {
	{
		[[ ! -e $serials ]] || while read -r line; do [[ $line == "$name "* ]] || printf '%s\n' "$line"; done <"$serials"
		printf '%s %s %s\n' "$name" "$serial" "$1"
	} >"$serials.new" && mv -f -- "$serials.new" "$serials" || fail 4 "$serials: cannot be written"
}

base='' allow_older='' unsigned=''
while (($#)); do
	case $1 in
	--base)
		[[ -n ${2:-} ]] || fail 2 '--base: want a directory'
		base=${2%/}
		shift 2
		;;
	--allow-older) allow_older=yes && shift ;;
	--unsigned) unsigned=yes && shift ;;
	-h | --help)
		usage
		exit
		;;
	--) shift && break ;;
	-?*) fail 2 "$1: no such option; see --help" ;;
	*) break ;;
	esac
done
if [[ -n $unsigned ]]; then (($# == 1)) || fail 2 'want DIR alone with --unsigned; see --help'; else (($# == 2)) || fail 2 'want DIR SIGNERS; see --help'; fi
root=${1%/} signers=${2:-}
[[ -d $root ]] || fail 4 "$root: no such directory"
[[ -z $base || -d $base ]] || fail 4 "$base: no such directory"
[[ -f $root/SHA256SUMS ]] || fail 1 "$root: is no archive of skep: it has no SHA256SUMS"
shopt -s globstar dotglob nullglob

signer='' name='' serial=''
declare -A sums=()
[[ -n $unsigned ]] || signed
read_sums
alone
complete
if ! why=$(cd -- "$root" && sha256sum --check --strict --quiet SHA256SUMS 2>&1); then
	why=${why%%$'\n'*}
	fail 1 "$root/${why/%: FAILED/: is not the file that SHA256SUMS names}"
fi
read_record
if [[ -z $unsigned ]]; then
	serials=skep-serials
	[[ $signers != */* ]] || serials=${signers%/*}/skep-serials
	newer
fi
printf '%s, serial %s: %d files, %s\n' "$name" "$serial" "${#sums[@]}" "${signer:+signed by $signer}${unsigned:+not signed}"
