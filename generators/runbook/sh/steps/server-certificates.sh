# The certificate of a manager's Docker API, from this machine's certs directory to the manager.

readonly pems=(ca.pem server-cert.pem server-key.pem)

prepare() {
	local source=$state/certs/servers/$host pem
	if [[ ! -r $source/server-key.pem ]]; then
		say "$source has no certificate yet: the step certificates makes it (or copy the directory certs of the first manager here)" >&2
		return 1
	fi
	printf 'declare -A want=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(sha256sum <"$source/$pem" | cut -d ' ' -f 1)"; done
	printf ')\n'
	[[ $phase == apply ]] || return 0
	printf 'declare -A pem_of=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(<"$source/$pem")"; done
	printf ')\n'
}

check() {
	local pem
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$tls_directory/$pem") == "${want[$pem]}" ]] || would "install $tls_directory/$pem"
	done
}

apply() {
	local pem
	for pem in "${pems[@]}"; do
		write_secret "$tls_directory/$pem" <<<"${pem_of[$pem]}"
	done
	chmod 0700 "$tls_directory"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'a certificate did not arrive whole'
	openssl verify -CAfile "$tls_directory/ca.pem" "$tls_directory/server-cert.pem"
}

undo() {
	local pem
	for pem in "${pems[@]}"; do rm -f -- "$tls_directory/$pem"; done
}
