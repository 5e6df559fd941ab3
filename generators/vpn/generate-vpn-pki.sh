# generate-vpn-pki.sh makes the authorities and the server's certificate.

# --check wants this many days of life left, and --renew renews what has fewer: 30, or a third of a short life.
margin=30
if ((days < 3 * margin)); then margin=$((days / 3)); fi
readonly margin server_name=$prefix-server

usage() {
	cat <<END
usage: $script DIR           make what is missing in DIR; nothing that is there changes
       $script --renew DIR   renew the server's certificate, with a new key, when it expires within $margin days or is not as the spec wants it
       $script --check DIR   verify the authorities, the server's certificate, the revocation lists and modes
END
}

# guard refuses directories in which keys would be published, or that are somebody else's.
guard() {
	local bundle entry
	bundle=$(realpath -m -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
	if [[ -e $bundle/MANIFEST && $dir/ == "$bundle"/* ]]; then
		fail 3 "$dir is inside the bundle, which is published; name a directory outside of it"
	fi
	if [[ -e $dir && ! -d $dir ]]; then fail 3 "$dir is not a directory"; fi
	if [[ -e $dir/root-key.pem || -e $dir/root.pem || -d $dir/.work ]]; then return; fi
	for entry in "$dir"/* "$dir"/.[!.]*; do
		if [[ ${entry##*/} != .gitignore ]]; then fail 3 "$dir is not empty and holds no authority; name a new directory"; fi
	done
}

prepare() {
	mkdir -p -- "$dir" 2>/dev/null || fail 4 "$dir: no such directory can be made"
	chmod 700 -- "$dir" 2>/dev/null || fail 4 "$dir: its mode stays open to others"
	hold
	mkdir -p -- "$dir/issued" "$dir/clients" "$dir/server"
	# git must never pick up a key, wherever the directory is.
	[[ -e $dir/.gitignore ]] || echo '*' >"$dir/.gitignore"
}

make_root() {
	local work=$dir/.work
	if [[ -s $dir/root.pem ]]; then return; fi
	if [[ -e $dir/client-ca.pem ]]; then fail 3 "root.pem is gone but $dir holds certificates below it; put it back, or begin in an empty directory"; fi
	config "$cluster vpn authority" >"$work/root.cnf"
	new_key "$work/root-key.pem"
	quiet openssl req -new -x509 -sha256 -key "$work/root-key.pem" -days "$ca_days" -set_serial "$(serial)" \
		-config "$work/root.cnf" -extensions root_extensions -out "$work/root.pem"
	mv -- "$work/root-key.pem" "$dir/root-key.pem"
	mv -- "$work/root.pem" "$dir/root.pem"
	echo "made root.pem"
}

# make_authority NAME signs an authority below the root.
make_authority() {
	local name=$1 work=$dir/.work
	if [[ -s $dir/$name.pem ]]; then return; fi
	need_key root
	config "$cluster vpn ${name%-ca}s" >"$work/$name.cnf"
	new_key "$work/$name-key.pem"
	quiet openssl req -new -sha256 -key "$work/$name-key.pem" -config "$work/$name.cnf" -out "$work/$name.csr"
	quiet openssl x509 -req -sha256 -in "$work/$name.csr" -CA "$dir/root.pem" -CAkey "$dir/root-key.pem" -set_serial "$(serial)" \
		-days "$(at_most "$ca_days" "$dir/root.pem")" -extfile "$work/$name.cnf" -extensions "${name/-/_}" -out "$work/$name.pem"
	mv -- "$work/$name-key.pem" "$dir/$name-key.pem"
	mv -- "$work/$name.pem" "$dir/$name.pem"
	echo "made $name.pem"
}

make_lists() {
	local work=$dir/.work
	: >>"$dir/index.txt"
	: >>"$dir/root-index.txt"
	if [[ ! -s $dir/root-crl.pem ]]; then
		need_key root
		config crl >"$work/root-crl.cnf"
		quiet openssl ca -gencrl -batch -config "$work/root-crl.cnf" -name root -cert "$dir/root.pem" -keyfile "$dir/root-key.pem" \
			-crldays "$(days_left "$dir/root.pem")" -out "$work/root-crl.pem"
		mv -- "$work/root-crl.pem" "$dir/root-crl.pem"
	fi
	if ! is_listed; then
		need_key client-ca
		new_crl
		echo "made server/crl.pem"
	fi
}

# make_server VERB: key and certificate go into place one after the other; a run that is cut off between them leaves a
# pair that does not belong together, which the next run renews.
make_server() {
	local work=$dir/.work
	need_key server-ca
	config "$server_name" >"$work/server.cnf"
	new_key "$work/key.pem"
	quiet openssl req -new -sha256 -key "$work/key.pem" -config "$work/server.cnf" -out "$work/server.csr"
	quiet openssl x509 -req -sha256 -in "$work/server.csr" -CA "$dir/server-ca.pem" -CAkey "$dir/server-ca-key.pem" -set_serial "$(serial)" \
		-days "$(at_most "$days" "$dir/server-ca.pem")" -extfile "$work/server.cnf" -extensions server -out "$work/leaf.pem"
	# The server sends its authority along.
	cat -- "$work/leaf.pem" "$dir/server-ca.pem" >"$work/cert.pem"
	mv -- "$work/key.pem" "$dir/server/key.pem"
	mv -- "$work/cert.pem" "$dir/server/cert.pem"
	echo "$1 server/cert.pem"
}

# make_static writes what needs no signature: the key that hides the handshake, in OpenVPN's own form, and the chain that
# the server believes: clients, and nobody that the server's authority signed.
make_static() {
	local work=$dir/.work
	if [[ ! -s $dir/server/tls-crypt.key ]]; then
		{
			echo '-----BEGIN OpenVPN Static key V1-----'
			openssl rand -hex 256 | tr -d '\n' | fold -w 32
			printf '\n%s\n' '-----END OpenVPN Static key V1-----'
		} >"$work/tls-crypt.key"
		mv -- "$work/tls-crypt.key" "$dir/server/tls-crypt.key"
		echo "made server/tls-crypt.key"
	fi
	cat -- "$dir/root.pem" "$dir/client-ca.pem" >"$work/ca.pem"
	if ! cmp -s "$work/ca.pem" "$dir/server/ca.pem"; then mv -- "$work/ca.pem" "$dir/server/ca.pem"; fi
}

# server_problems prints what is wrong with the server's certificate, a line each.
server_problems() {
	local cert=$dir/server/cert.pem key=$dir/server/key.pem left of_cert of_key name
	if [[ ! -s $cert || ! -s $key ]]; then
		echo "is missing"
		return
	fi
	if ! openssl verify -x509_strict -purpose sslserver -no-CApath -CAfile "$dir/root.pem" -untrusted "$dir/server-ca.pem" "$cert" >/dev/null 2>&1; then
		echo "does not verify"
	fi
	of_cert=$(openssl x509 -noout -pubkey -in "$cert" 2>/dev/null || true)
	of_key=$(openssl pkey -pubout -in "$key" 2>/dev/null || true)
	if [[ -z $of_cert || $of_cert != "$of_key" ]]; then echo "key and certificate do not belong together"; fi
	name=$(openssl x509 -noout -subject -nameopt multiline -in "$cert" 2>/dev/null | sed -n 's/^ *commonName *= //p' || true)
	if [[ $name != "$server_name" ]]; then echo "is for ${name:-nobody}, want $server_name"; fi
	if ! left=$(days_left "$cert" 2>/dev/null); then
		echo "its end is not readable"
	elif ((left < margin)); then
		echo "expires in $left days, want at least $margin"
	fi
}

authority_problems() {
	local name left mode file
	for name in root server-ca client-ca; do
		if ! openssl verify -x509_strict -no-CApath -CAfile "$dir/root.pem" "$dir/$name.pem" >/dev/null 2>&1; then
			echo "$name.pem does not verify"
		elif left=$(days_left "$dir/$name.pem") && ((left < margin)); then
			echo "$name.pem expires in $left days: begin a new authority in another directory, and issue every client anew"
		fi
	done
	if ! openssl crl -noout -CAfile "$dir/client-ca.pem" -in "$dir/server/crl.pem" >/dev/null 2>&1; then
		echo "server/crl.pem does not verify"
	elif ! is_listed; then
		echo "server/crl.pem lacks a certificate that index.txt calls revoked"
	fi
	if [[ ! -s $dir/server/tls-crypt.key ]]; then echo "server/tls-crypt.key is missing"; fi
	for file in "$dir" "$dir"/*-key.pem "$dir"/server/key.pem "$dir"/clients/*/key.pem; do
		if mode=$(stat -c %a "$file" 2>/dev/null) && ((0$mode & 077)); then echo "${file#"$dir"/} has mode $mode, and others could read it"; fi
	done
}

generate() {
	local out
	# A command that breaks has said why; exit 1 is for findings.
	set -E
	trap 'exit 4' ERR
	guard
	prepare
	make_root
	make_authority server-ca
	make_authority client-ca
	make_lists
	make_static
	out=$(server_problems)
	if [[ $out == "is missing" ]]; then
		make_server made
	elif [[ -n $out && $1 == renew ]]; then
		make_server renewed
	elif [[ -n $out ]]; then
		say "server: ${out//$'\n'/; }; renew it with: --renew DIR"
	fi
}

check() {
	local out bad=0 line
	[[ -s $dir/root.pem ]] || fail 1 "$dir/root.pem: is missing; run $script DIR"
	out=$(authority_problems)
	while read -r line; do [[ -z $line ]] || { say "$line" && bad=1; }; done <<<"$out"
	out=$(server_problems)
	while read -r line; do [[ -z $line ]] || { say "server: $line" && bad=1; }; done <<<"$out"
	((bad == 0)) || return 1
	printf '%-12s good, %d days left\n' root "$(days_left "$dir/root.pem")" server "$(days_left "$dir/server/cert.pem")"
}

main() {
	local mode=generate
	shopt -s nullglob
	case ${1-} in
	--renew | --check)
		mode=${1#--}
		shift
		;;
	-h | --help)
		usage
		exit 0
		;;
	-*) fail 2 "$1: no such flag; try --help" ;;
	esac
	if [[ -z ${1-} || $# != 1 ]]; then fail 2 "want one directory; try --help"; fi
	need_openssl
	enter "$1"
	case $mode in
	check) check ;;
	*) generate "$mode" ;;
	esac
}

main "$@"
