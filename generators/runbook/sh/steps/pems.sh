# PEM files that are made on the operator's machine and taken to a node. The step has their names in pems.

# hand_over DIRECTORY: their digests, and in apply the files themselves.
hand_over() {
	local pem
	printf 'declare -A want=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(sha256sum <"$1/$pem" | cut -d ' ' -f 1)"; done
	printf ')\n'
	[[ $phase == apply ]] || return 0
	printf 'declare -A pem_of=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(<"$1/$pem")"; done
	printf ')\n'
}

# would_install_pems DIRECTORY
would_install_pems() {
	local pem
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$1/$pem") == "${want[$pem]}" ]] || would "install $1/$pem"
	done
}
