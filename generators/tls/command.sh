# The command line, and what only looks.

check() {
	local unit out line bad=0 left word
	[[ -s $dir/ca.pem ]] || fail 1 "$dir/ca.pem: is missing; run $script DIR"
	out=$(mode_problems "$dir" ca-key.pem)
	if ! left=$(days_left "$dir/ca.pem" 2>/dev/null); then
		fail 1 "$dir/ca.pem: is not a certificate"
	elif ((left < margin)); then
		out+=$'\n'"$(life "$left"), want at least $margin"
	fi
	if [[ -e $dir/ca-key.pem ]] && ! same_key "$dir/ca.pem" "$dir/ca-key.pem"; then out+=$'\n'"key and certificate do not belong together"; fi
	for unit in authority "${units[@]}"; do
		if [[ $unit != authority ]]; then
			out=$(findings "$unit")
			if [[ $out != "is missing" ]]; then
				left=$(days_left "$dir/$unit/$(cert_of "$unit")" 2>/dev/null || echo 0)
				out+=$'\n'$(mode_problems "$dir/$unit" "$(key_of "$unit")")
				if [[ $unit != web ]] && ! cmp -s "$dir/ca.pem" "$dir/$unit/ca.pem"; then out+=$'\n'"ca.pem is another than that of DIR"; fi
			fi
		fi
		if [[ -z ${out//$'\n'/} ]]; then
			word=good
			if is_waiting "$unit"; then word='HAND OVER'; fi
			printf '%-40s %s, %d days left\n' "$unit" "$word" "$left"
			continue
		fi
		bad=1
		while read -r line; do
			if [[ -n $line ]]; then say "$unit: $line"; fi
		done <<<"$out"
	done
	tell_strangers
	return "$bad"
}

main() {
	local mode=generate what=()
	shopt -s nullglob
	while [[ ${1-} == -* ]]; do
		case $1 in
		--renew | --check | --hand-over | --handed-over)
			if [[ $mode != generate ]]; then fail 2 "want one of --renew, --check, --hand-over and --handed-over"; fi
			mode=${1#--}
			;;
		-h | --help)
			usage
			exit 0
			;;
		--)
			shift
			break
			;;
		*) fail 2 "$1: no such flag; try --help" ;;
		esac
		shift
	done
	if [[ -z ${1-} ]]; then fail 2 "want a directory; try --help"; fi
	if [[ $mode == handed-over && $# == 1 ]]; then set -- "$(default_directory)" "$1"; fi
	dir=$(realpath -m -- "$1")
	shift
	what=("$@")
	if ((${#what[@]} > 1)) && [[ $mode == handed-over ]]; then fail 2 "${what[1]}: one name is enough; try --help"; fi
	if ((${#what[@]})) && [[ $mode != renew && $mode != handed-over ]]; then fail 2 "${what[0]}: one directory is enough; try --help"; fi
	case $(openssl version 2>/dev/null) in
	"OpenSSL 1.1.1"* | "OpenSSL "[3-9]*) ;;
	*) fail 4 "want openssl 1.1.1 or later on PATH" ;;
	esac
	read_spec
	case $mode in
	check) check ;;
	generate) generate no ;;
	renew) renew "${what[@]}" ;;
	hand-over) hand_over ;;
	handed-over) handed_over "${what[0]}" ;;
	esac
}

renew() {
	local unit
	if (($# == 0)); then
		generate due
	elif [[ $* == all ]]; then
		generate yes
	else
		for unit in "$@"; do
			if [[ -z ${names[$unit]+known} ]]; then fail 2 "$unit: no such pair; want all, ${units[0]} or the like"; fi
		done
		generate named "$@"
	fi
}

main "$@"
