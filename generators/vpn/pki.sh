# The authorities of the VPN, in a directory DIR on the operator's machine, with openssl alone.
#
# DIR/root.pem root-key.pem              the root; its key may be kept elsewhere
# DIR/server-ca.pem server-ca-key.pem    signs the server, and can sign nothing else
# DIR/client-ca.pem client-ca-key.pem    signs clients, and can sign nothing else
# DIR/index.txt issued/SERIAL.pem        every certificate of a client, and which of them are revoked
# DIR/server/                            what the server gets: ca.pem cert.pem key.pem tls-crypt.key crl.pem
# DIR/clients/NAME/                      what a client gets: client.conf, and its cert.pem and key.pem
#
# Exit: 0 good, 1 findings, 2 usage, 3 refused, 4 anything else.

export LC_ALL=C
umask 077
script=${BASH_SOURCE[0]##*/}
readonly day=86400

say() { printf '%s: %s\n' "$script" "$*" >&2; }

fail() {
	local code=$1
	shift
	say "$@"
	exit "$code"
}

# quiet runs a command and shows what it printed only when it breaks, as one line.
quiet() {
	local out
	if ! out=$("$@" 2>&1); then
		out=${out//$'\n'/; }
		fail 4 "${*:1:2}: ${out:-no answer}"
	fi
}

# need_openssl also keeps a changed PATH from looking like a missing certificate.
need_openssl() {
	case $(openssl version 2>/dev/null) in
	"OpenSSL 1.1.1"* | "OpenSSL "[3-9]*) ;;
	*) fail 4 "want openssl 1.1.1 or later on PATH" ;;
	esac
}

# enter DIR names the directory of the authorities. Openssl's configuration takes it from the environment, where no
# character of it means anything.
enter() {
	dir=$(realpath -m -- "$1")
	export SKEP_PKI=$dir
}

# hold keeps other runs out until this one ends, and removes what an earlier one left.
hold() {
	exec {lock}<"$dir"
	flock -w 10 "$lock" || fail 4 "another run is at work in $dir"
	rm -rf -- "$dir/.work"
	mkdir -- "$dir/.work"
	trap 'rm -rf -- "$dir/.work"' EXIT
}

# config prints what openssl wants to know: two databases, and the extensions of each kind of certificate. The purpose of
# an authority binds what it signs: a stolen client authority makes no server that clients would believe.
config() {
	printf '[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = subject\n'
	printf '[subject]\nO = skep %s\nCN = %s\n' "$cluster" "$1"
	printf '[policy]\norganizationName = supplied\ncommonName = supplied\n'
	local name
	for name in root client; do
		printf '[%s]\ndatabase = $ENV::SKEP_PKI/%s\n' "$name" "$([[ $name == root ]] && echo root-index.txt || echo index.txt)"
		printf 'new_certs_dir = $ENV::SKEP_PKI/issued\nrand_serial = yes\nunique_subject = no\ncopy_extensions = none\n'
		printf 'default_md = sha256\npolicy = policy\nstring_mask = utf8only\n'
	done
	cat <<'END'
[root_extensions]
subjectKeyIdentifier = hash
basicConstraints = critical,CA:TRUE,pathlen:1
keyUsage = critical,keyCertSign,cRLSign
[server_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
extendedKeyUsage = serverAuth
[client_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
extendedKeyUsage = clientAuth
[server]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
[clients]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
END
}

new_key() { quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out "$1"; }

serial() { printf '0x%s' "$(openssl rand -hex 16)"; }

# days_left prints the whole days until a certificate ends.
days_left() {
	local end
	end=$(openssl x509 -noout -enddate -in "$1") || return 1
	end=$(date -d "${end#notAfter=}" +%s)
	echo $(((end - $(date +%s)) / day))
}

# at_most DAYS CERT: a certificate that outlives its authority is good for nothing.
at_most() {
	local left
	left=$(days_left "$2")
	((left >= 1)) || fail 3 "${2##*/} expires in $left days; begin a new one in an empty directory"
	echo $((left < $1 ? left : $1))
}

need_key() { [[ -s $dir/$1-key.pem ]] || fail 3 "$1-key.pem is not in $dir; bring it back to sign"; }

# new_crl writes the revocation lists, of clients and of authorities. They end with their authority: a list that ended
# sooner would lock every client out.
#
# The name of the root is longer than that of the clients' authority for a reason. A running server that reads the file
# again forgets only every other list that it had, in the order of names, the shortest first; of two lists of one authority
# that are of the same second it may then go by the old one (https://github.com/OpenVPN/openvpn/pull/844). So it forgets
# the list of clients and keeps that of the root, which never changes.
new_crl() {
	local list=$dir/.work/crl.pem
	config crl >"$dir/.work/crl.cnf"
	quiet openssl ca -gencrl -batch -config "$dir/.work/crl.cnf" -name client -cert "$dir/client-ca.pem" -keyfile "$dir/client-ca-key.pem" \
		-crldays "$(days_left "$dir/client-ca.pem")" -out "$list"
	cat -- "$dir/root-crl.pem" >>"$list"
	mv -- "$list" "$dir/server/crl.pem"
}

# is_listed: the revocation list holds as many certificates as are revoked. A run that is cut off may leave it behind.
is_listed() {
	local text revoked
	text=$(openssl crl -noout -text -in "$dir/server/crl.pem" 2>/dev/null) || return 1
	revoked=$(awk -F '\t' '$1 == "R"' "$dir/index.txt" | wc -l) || return 1
	((revoked == $(grep -c '^ *Serial Number:' <<<"$text" || true)))
}
