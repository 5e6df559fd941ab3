# The VPN's own authorities and its server's certificate, in the state directory of this machine.

check() {
	if [[ ! -e $state/vpn/root.pem ]]; then
		would "make the authorities of the VPN in $state/vpn"
	elif ! bash "$bundle/vpn/generate-vpn-pki.sh" --check "$state/vpn"; then
		would "make or renew what is named above in $state/vpn"
	fi
}

apply() {
	bash "$bundle/vpn/generate-vpn-pki.sh" "$state/vpn"
	if ! bash "$bundle/vpn/generate-vpn-pki.sh" --check "$state/vpn"; then
		bash "$bundle/vpn/generate-vpn-pki.sh" --renew "$state/vpn"
	fi
}

verify() { bash "$bundle/vpn/generate-vpn-pki.sh" --check "$state/vpn"; }
