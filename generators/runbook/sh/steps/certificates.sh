# The cluster's own authority and what it signs, in the state directory of this machine.

check() {
	if [[ ! -e $state/certs/ca.pem ]]; then
		would "make the authority and every certificate in $state/certs"
	elif ! bash "$bundle/certs/generate-certificates.sh" --check "$state/certs"; then
		would "make or renew what is named above in $state/certs"
	fi
}

apply() {
	bash "$bundle/certs/generate-certificates.sh" "$state/certs"
	if ! bash "$bundle/certs/generate-certificates.sh" --check "$state/certs"; then
		bash "$bundle/certs/generate-certificates.sh" --renew "$state/certs"
	fi
}

verify() { bash "$bundle/certs/generate-certificates.sh" --check "$state/certs"; }
