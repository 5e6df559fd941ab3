# The cluster from the inside: nodes ready, pages answering, certificates good for a while.

readonly patience=180 # seconds

check() {
	need_engine
	[[ $(swarm_state) == active ]] || unknown 'no swarm yet'
	local text
	text=$(complaints)
	[[ -z $text ]] || would "wait until the cluster is well: $text"
}

# complaints prints what is wrong, a line each.
complaints() {
	if [[ $host == "$first_manager" ]]; then unready; fi
	if [[ $role == manager ]] && has openssl; then
		openssl x509 -checkend "$((warn_days * 86400))" -noout -in "$tls_directory/server-cert.pem" >/dev/null 2>&1 ||
			printf 'the certificate of the Docker API expires within %d days\n' "$warn_days"
	fi
	if [[ " $duties " == *' traefik '* ]] && has curl; then ask_pages; fi
}

# unready prints which nodes of the spec are not Ready. Who takes no part in this run was told before.
unready() {
	local name id
	read_swarm
	for name in "${!id_of[@]}"; do
		id=${id_of[$name]}
		if is_silent "$name"; then continue; fi
		if [[ -z $id ]]; then
			printf '%s is not in the swarm\n' "$name"
		elif [[ ${state_by_id[$id]} != ready ]]; then
			printf '%s is %s\n' "$name" "${state_by_id[$id]}"
		fi
	done | sort
}

# ask_pages asks Traefik on this node, from this node: the firewall need not let nodes in.
ask_pages() {
	local row want url
	for row in "${pages[@]}"; do
		read -r want url <<<"$row"
		ask "$want" "$url" || printf '%s\n' "$answer"
	done
}

# ask WANT URL asks as a visitor does, who believes no certificate unseen: by the authority that the step certificate-watch
# brought, or the system's. Files may come from either. What is wrong is left in answer.
ask() {
	local own=()
	[[ ! -s $web_trust ]] || own=(--cacert "$web_trust")
	asked "$@" "${own[@]}" || { [[ $web_certificate == files && -s $web_trust ]] && asked "$@"; }
}

# asked WANT URL OPTION...
asked() {
	local want=$1 url=$2 here=$address out code
	shift 2
	[[ $here != *:* ]] || here="[$here]"
	out=$(curl --silent --show-error --max-time 10 "$@" --connect-to "::$here:" --output /dev/null --write-out '%{http_code}' "$url" 2>&1) || true
	code=${out: -3} answer=$url
	[[ ! $code =~ ^($want)$ ]] || return 0
	answer+=" answers $code, want ${want//|/ or }"
	[[ $out == "$code" ]] || answer+=": ${out%%$'\n'*}"
	return 1
}

apply() { wait_for "$patience" 'the cluster to be well' well; }

well() { [[ -z $(complaints) ]]; }

verify() {
	local text
	text=$(complaints)
	[[ -z $text ]] || refuse "$text"
	for text in "${urls[@]}"; do say "$text"; done
}
