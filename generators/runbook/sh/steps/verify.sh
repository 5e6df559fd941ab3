# The cluster from the inside: nodes ready, pages answering, certificates good for a while.

readonly patience=180 # seconds

check() {
	has docker && engine_up || unknown 'no Docker engine yet'
	[[ $(swarm_state) == active ]] || unknown 'no swarm yet'
	local text
	text=$(complaints)
	[[ -z $text ]] || would "wait until the cluster is well: $text"
}

# complaints prints what is wrong, a line each.
complaints() {
	if [[ $host == "$first_manager" ]]; then
		local ready
		ready=$(docker node ls --format '{{.Status}}' | grep -c '^Ready' || true)
		((ready >= node_count)) || printf '%d of %d nodes are ready\n' "$ready" "$node_count"
	fi
	if [[ $role == manager ]] && has openssl; then
		openssl x509 -checkend 1209600 -noout -in "$tls_directory/server-cert.pem" >/dev/null 2>&1 ||
			printf 'the certificate of the Docker API ends within 14 days\n'
	fi
	if [[ " $duties " == *' traefik '* ]] && has curl; then ask_pages; fi
}

# ask_pages asks Traefik on this node, from this node: the firewall need not let nodes in.
ask_pages() {
	local row want url code here=$address trust=(--insecure)
	[[ $here != *:* ]] || here="[$here]"
	if [[ $web_certificate == selfSigned ]]; then trust=(--cacert "$tls_directory/ca.pem"); fi
	[[ -r $tls_directory/ca.pem ]] || trust=(--insecure)
	for row in "${pages[@]}"; do
		read -r want url <<<"$row"
		code=$(curl --silent --max-time 10 "${trust[@]}" --connect-to "::$here:" --output /dev/null --write-out '%{http_code}' "$url") || true
		[[ $code =~ ^($want)$ ]] || printf '%s answers %s, want %s\n' "$url" "$code" "${want//|/ or }"
	done
}

apply() { wait_for "$patience" 'the cluster to be well' well; }

well() { [[ -z $(complaints) ]]; }

verify() {
	local text
	text=$(complaints)
	[[ -z $text ]] || refuse "$text"
	for text in "${urls[@]}"; do say "$text"; done
}

undo() { :; }
