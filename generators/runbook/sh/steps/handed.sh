# Values that the operator hands over, a file each.

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
