# The machine that runs the runbook: its tools, the bundle, and the secrets that you hand over.

check() {
	local tool row object name missing=''
	for tool in tar base64 sha256sum openssl flock; do
		has "$tool" || missing+=" $tool"
	done
	[[ -z $missing ]] || refuse "not found on this machine:$missing" 'install them, then run again'
	for row in "${handed[@]}"; do
		read -r object name <<<"$row"
		if [[ -z $(handed_file "$name") ]]; then
			missing+="$state/secrets/$name is missing: the secret $object is made from it"$'\n'
		fi
	done
	[[ -z $missing ]] || refuse "${missing%$'\n'}" 'put each value into its file, mode 0600; or --skip operator where the swarm has the secret'
}

# handed_file NAME: the file that the operator put there, also under the names of a web server.
handed_file() {
	local file
	for file in "$1" "${1/#web-certificate/web.crt}" "${1/#web-key/web.key}"; do
		if [[ -s $state/secrets/$file ]]; then
			printf '%s' "$state/secrets/$file"
			return
		fi
	done
}

apply() { :; }

verify() { check; }

undo() { :; }
