# The certificate of a manager's Docker API, from this machine's certs directory to the manager.

readonly pems=(ca.pem server-cert.pem server-key.pem)

prepare() { hand_over "$state/certs/servers/$host" certificates "$state/certs/ca.pem" "$origin/certs/generate-certificates.sh"; }

check() { would_install_pems "$tls_directory"; }

apply() {
	local pem
	need_pems
	for pem in "${pems[@]}"; do
		write_secret "$tls_directory/$pem" <<<"${pem_of[$pem]}"
	done
	chmod 0700 "$tls_directory"
}

verify() {
	nothing_left 'a certificate did not arrive whole'
	openssl verify -CAfile "$tls_directory/ca.pem" "$tls_directory/server-cert.pem"
}

undo() {
	local pem
	for pem in "${pems[@]}"; do rm -f -- "$tls_directory/$pem"; done
}
