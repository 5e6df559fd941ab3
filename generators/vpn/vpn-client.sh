# vpn-client.sh issues, revokes and lists clients of the VPN.

usage() {
	cat <<END
usage: $script DIR issue NAME              make a key and a certificate, and the profile clients/NAME/client.conf
       $script DIR issue NAME --csr FILE   sign the request of a device that keeps its key; its profile has no key
       $script DIR renew NAME [--csr FILE] lay the next ones beside, in clients/NAME/next; both are good until they expire
       $script DIR handed-over NAME        NAME has them: they take the place of the old ones
       $script DIR profile NAME            print the profile
       $script DIR revoke NAME             refuse every certificate of NAME from now on
       $script DIR revoke --cert FILE      refuse a certificate that a vpn-api has signed with client-ca-key.pem
       $script DIR list                    every certificate: name, state, last day, serial number
DIR is the directory of generate-vpn-pki.sh. NAME is of letters, digits, dots and dashes: a person, or the id of a device.
END
}

# check_name keeps a client from looking like the server, and names from leaving their directory.
check_name() {
	[[ $1 =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$ && $1 != *..* ]] || fail 2 "$1: want a name of at most 63 letters, digits, dots and dashes"
	[[ ${1,,} != "$prefix"* ]] || fail 3 "$1: begins like the server's name, $prefix; choose another name"
}

# rows prints index.txt as "STATE NAME END SERIAL". openssl writes years there with two digits, and from 2050 on with four.
rows() {
	awk -F '\t' -v now="$(date -u +%Y%m%d%H%M%SZ)" '{
		name = $6
		sub(/.*\/CN=/, "", name)
		end = length($2) == 13 ? "20" $2 : $2
		state = $1 == "R" ? "revoked" : (end < now ? "expired" : "valid")
		printf "%s %s %s-%s-%s %s\n", state, name, substr(end, 1, 4), substr(end, 5, 2), substr(end, 7, 2), $4
	}' "$dir/index.txt"
}

# valid NAME prints the serial numbers of its certificates that are neither revoked nor expired.
valid() { rows | awk -v name="$1" '$1 == "valid" && $2 == name { print $4 }'; }

issue() {
	if [[ -n $(valid "$1") ]]; then fail 3 "$1 has a certificate; renew it, revoke it first, or choose another name"; fi
	make "clients/$1" "$@"
}

# renew leaves what the client has: it is good until it expires, and nobody can take it back but by revoking it.
renew() {
	local next=clients/$1/next
	if [[ -z $(valid "$1") ]]; then fail 3 "$1 has no certificate that is valid; issue one"; fi
	if [[ -e $dir/$next ]]; then fail 3 "$next is there already; hand it over, then: $script $dir handed-over $1"; fi
	make "$next" "$@"
}

# handed_over copies first and removes then: a run that is cut off is made good by the next one.
handed_over() {
	local at=$dir/clients/$1
	[[ -s $at/next/client.conf ]] || fail 3 "$1 has no next certificate: there is nothing to hand over"
	[[ -e $at/next/key.pem ]] || rm -f -- "$at/key.pem"
	cp -- "$at/next"/* "$at"
	rm -rf -- "$at/next"
	echo "clients/$1: the next one is in its place"
}

# make PLACE NAME [CSR]
make() {
	local at=$1 name=$2 csr=${3-} new=$dir/.work/client
	need_key client-ca
	mkdir -- "$new"
	config "$name" >"$new.cnf"
	if [[ -z $csr ]]; then
		csr=$new.csr
		new_key "$new/key.pem"
		quiet openssl req -new -sha256 -key "$new/key.pem" -config "$new.cnf" -out "$csr"
	elif ! openssl req -noout -verify -in "$csr" >/dev/null 2>&1; then
		fail 3 "$csr is not a request that is signed with its own key"
	elif ! is_strong "$csr"; then
		fail 3 "$csr holds a weak key; want EC of 256 bits, Ed25519, or RSA of 2048 bits"
	fi
	# Only the key of a request counts: name, purpose and days are ours.
	quiet openssl ca -batch -notext -config "$new.cnf" -name client -cert "$dir/client-ca.pem" -keyfile "$dir/client-ca-key.pem" \
		-subj "/O=skep $cluster/CN=$name" -days "$(at_most "$days" "$dir/client-ca.pem")" -extensions clients -in "$csr" -out "$new/cert.pem"
	profile "$new" >"$new/client.conf"
	mkdir -p -- "$(dirname -- "$dir/$at")"
	rm -rf -- "${dir:?}/$at"
	mv -T -- "$new" "$dir/$at"
	echo "made $at"
}

# profile DIRECTORY prints the configuration of a client for all who read it by machine: its lines and their order are fixed.
# Root, the authority of the server, the authority of the client. A device adds its own key.
profile() {
	printf 'client\n\ndev vpn\ndev-type tun\n\n\nnobind\n\n# Certificate Configuration\n\n# CA certificate\n<ca>\n'
	printf '%s\n' "$(<"$dir/root.pem")" "$(<"$dir/server-ca.pem")" "$(<"$dir/client-ca.pem")" '</ca>'
	printf '\n# Client Certificate\n<cert>\n%s\n</cert>\n\n' "$(<"$1/cert.pem")"
	if [[ -s $1/key.pem ]]; then
		printf '# Client Key\n<key>\n%s\n</key>\n\n' "$(<"$1/key.pem")"
	else
		printf '# Client Key: it never left the device; add it there as key FILE\n\n'
	fi
	printf '# Shared key\n<tls-crypt>\n%s\n</tls-crypt>\n\n' "$(<"$dir/server/tls-crypt.key")"
	printf 'remote-cert-tls server\n\nverify-x509-name "%s" name-prefix\n\n' "$prefix"
	printf '#script-security 2\n#tls-verify "/etc/openvpn/cmd/tls-verify dnQualifier Server"\n\n'
	printf 'auth-nocache\n\nping 60\nping-restart 120\n# ping-exit 300\ncompress lz4\n\n'
	printf '<connection>\nremote %s %d %s\n</connection>\n\n#verb 4\n' "$endpoint" "$port" "$protocol"
}

# is_strong CSR: its key is one that the server's TLS goes by for years. The subject, which anybody chose, is not looked at.
is_strong() {
	local text least=256
	text=$(openssl req -noout -pubkey -in "$1" | openssl pkey -pubin -noout -text) || return 1
	[[ $text != *Modulus:* ]] || least=2048
	[[ $text == ED* || ($text =~ Public-Key:\ \(([0-9]+)\ bit && ${BASH_REMATCH[1]} -ge $least) ]]
}

# is_client FILE: the clients' authority has signed it.
is_client() {
	openssl verify -purpose sslclient -no-CApath -CAfile "$dir/root.pem" -untrusted "$dir/client-ca.pem" "$1" >/dev/null 2>&1 || return 1
	[[ $(openssl x509 -noout -issuer_hash -in "$1") == $(openssl x509 -noout -subject_hash -in "$dir/client-ca.pem") ]]
}

# revoke NAME, or revoke --cert FILE.
revoke() {
	local name=$1 file=${2-} number files=()
	if [[ -n $file ]]; then
		is_client "$file" || fail 3 "$file is no valid certificate that client-ca.pem has signed"
		name=$file files=("$file")
	else
		for number in $(valid "$name"); do files+=("$dir/issued/$number.pem"); done
	fi
	if ((${#files[@]} == 0)); then
		# An earlier run that was cut off may have revoked it, and signed no list.
		if ! is_listed; then
			need_key client-ca
			new_crl
			say "made server/crl.pem, which was behind index.txt"
		fi
		fail 3 "$name has no certificate that is valid"
	fi
	need_key client-ca
	config revoke >"$dir/.work/revoke.cnf"
	for file in "${files[@]}"; do
		quiet openssl ca -batch -config "$dir/.work/revoke.cnf" -name client -cert "$dir/client-ca.pem" -keyfile "$dir/client-ca-key.pem" \
			-revoke "$file"
	done
	new_crl
	[[ -n ${2-} ]] || rm -rf -- "$dir/clients/$name"
	echo "revoked $name; the server learns it with: ./runbook.sh run --only vpn-access"
}

list() {
	local state name end number
	while read -r state name end number; do
		printf '%-8s %-36s %-10s %s\n' "$state" "$name" "$end" "$number"
	done < <(echo state name end serial && rows)
}

main() {
	if [[ ${1-} == -h || ${1-} == --help ]]; then
		usage
		exit 0
	fi
	if (($# < 2)); then fail 2 "want a directory and what to do; try --help"; fi
	need_openssl
	enter "$1"
	local verb=$2 name=${3-} file=
	[[ -s $dir/client-ca.pem && -e $dir/index.txt ]] || fail 3 "$dir holds no authority; make it with generate-vpn-pki.sh"
	shift $(($# < 3 ? $# : 3))
	if [[ $verb == issue || $verb == renew ]] && [[ ${1-} == --csr && -n ${2-} ]]; then
		file=$2
		shift 2
	elif [[ $verb == revoke && $name == --cert && -n ${1-} ]]; then
		file=$1
		shift
	fi
	[[ -z $file || -r $file ]] || fail 4 "$file: no such file can be read"
	(($# == 0)) || fail 2 "$1: is too much; try --help"
	case $verb in
	issue | renew | handed-over | profile | revoke)
		[[ -n $name ]] || fail 2 "$verb: want a name"
		[[ $name == --cert && -n $file ]] || check_name "$name"
		;;
	list) [[ -z $name ]] || fail 2 "$name: is too much; try --help" ;;
	*) fail 2 "$verb: want issue, renew, handed-over, profile, revoke or list" ;;
	esac
	case $verb in
	issue | renew | handed-over | revoke)
		# A command that breaks has said why; exit 1 is for findings.
		set -E
		trap 'exit 4' ERR
		hold
		"${verb/-/_}" "$name" ${file:+"$file"}
		;;
	profile)
		[[ -s $dir/clients/$name/cert.pem ]] || fail 3 "$name is no client; issue it first"
		profile "$dir/clients/$name"
		;;
	list) list ;;
	esac
}

main "$@"
