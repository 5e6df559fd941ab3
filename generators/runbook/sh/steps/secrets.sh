# The swarm's secrets. A value is made once, on this manager, and kept in $store; the swarm never shows it again.

readonly amiss='a secret is missing'

exists() { docker secret inspect "$1" >/dev/null 2>&1; }

# prepare hands over what is made or kept on the operator's machine, as base64 inside the program on stdin.
prepare() {
	local row object name make user file
	[[ $phase == apply ]] || return 0
	printf 'declare -A given_value=('
	for row in "${secrets[@]}"; do
		read -r object name make user <<<"$row"
		case $make in
		certificate) file=$state/certs/web/web.crt ;;
		key) file=$state/certs/web/web.key ;;
		given) file=$(handed_file "$name") ;;
		*) continue ;;
		esac
		[[ ! -s $file ]] || printf '[%q]=%q ' "$object" "$(base64 -w 0 <"$file")"
	done
	printf ')\n'
}

check() {
	need_swarm
	local row object
	for row in "${secrets[@]}"; do
		read -r object _ <<<"$row"
		exists "$object" || would "make the secret $object"
	done
}

random() { openssl rand -hex "$1"; }

# value OBJECT MAKE USER writes the value to $store/OBJECT. What is there stays: a run may have been cut off before.
value() {
	local path=$store/$1
	if [[ -s $path ]]; then return; fi
	case $2 in
	password) random 16 | tr -d '\n' | write_secret "$path" ;;
	key-id) random 10 | tr -d '\n' | tr a-f A-F | write_secret "$path" ;;
	login)
		[[ -s $path.password ]] || random 16 | tr -d '\n' | write_secret "$path.password"
		{
			printf '%s:' "$3"
			openssl passwd -apr1 -stdin <"$path.password"
		} | write_secret "$path"
		;;
	*)
		[[ -n ${given_value[$1]:-} ]] || refuse "the value of the secret $1 is missing" \
			'a certificate comes from the step certificates, a given one from the secrets directory beside the state'
		base64 -d <<<"${given_value[$1]}" | trimmed | write_secret "$path"
		;;
	esac
}

# trimmed drops the newline that editors put behind a password; PEM blocks keep theirs.
trimmed() {
	local text
	text=$(cat)
	if [[ $text == *$'\n'* ]]; then printf '%s\n' "$text"; else printf '%s' "$text"; fi
}

apply() {
	local row object name make user
	mkdir -p "$store"
	chmod 0700 "$store"
	for row in "${secrets[@]}"; do
		read -r object name make user <<<"$row"
		if exists "$object"; then continue; fi
		value "$object" "$make" "${user:-}"
		docker secret create --label "skep.cluster=$cluster" --label "skep.secret=$name" "$object" - <"$store/$object" >/dev/null
		if [[ -e $store/$object.password ]]; then
			say "made the secret $object; its password is in $store/$object.password"
		else
			say "made the secret $object; its value is in $store/$object"
		fi
	done
}

# The values stay in $store, so that a new swarm gets the same ones.
undo() {
	local row object
	is_manager || return 0
	for row in "${secrets[@]}"; do
		read -r object _ <<<"$row"
		if exists "$object"; then docker secret rm "$object"; fi
	done
}
