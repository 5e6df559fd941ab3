# The swarm's nodes beside those of the spec: matched by name and address, never by count.

prepare() {
	local name
	given removed "${removed[*]}"
	printf "nodes() {\n\tcat <<'SKEP'\n"
	for name in "${inventory[@]}"; do
		printf '%s\t%s\t%s\t%s\t%s\n' "$name" "${inventory_address[$name]}" "${inventory_role[$name]}" \
			"${inventory_duties[$name]:--}" "${inventory_labels[$name]:--}"
	done
	printf 'SKEP\n}\n'
}

declare -A id_of=() role_of=() labels_of=()                         # by name in the spec
declare -A state_by_id=() role_by_id=() name_by_id=() vote_by_id=() # by ID in the swarm

# read_swarm finds the swarm's node for each name: by the label of an earlier run, or else by its address.
read_swarm() {
	local id up role_now addr manager vote called labels name
	local -A by_address=() by_name=() labels_by_id=()
	while IFS='|' read -r id up role_now addr manager vote called labels; do
		state_by_id[$id]=$up role_by_id[$id]=$role_now labels_by_id[$id]=,$labels name_by_id[$id]=$called vote_by_id[$id]=$vote
		if [[ ,$labels =~ ,skep\.node=([^,]*), ]]; then name_by_id[$id]=${BASH_REMATCH[1]}; fi
		addr=${addr:--} # of a node that nobody has seen since the managers started
		# A node that left and came back has an old, dead entry beside the new one.
		[[ $up != down || -z ${by_address[$addr]:-} ]] || continue
		by_address[$addr]=$id
		manager=${manager%:*}
		manager=${manager#[}
		manager=${manager%]}
		if [[ -n $manager ]]; then by_address[$manager]=$id; fi
		if [[ ,$labels =~ ,skep\.node=([^,]*), && ($up != down || -z ${by_name[${BASH_REMATCH[1]}]:-}) ]]; then by_name[${BASH_REMATCH[1]}]=$id; fi
	done < <(docker node ls --quiet | xargs docker node inspect --format '{{.ID}}|{{.Status.State}}|{{.Spec.Role}}|{{.Status.Addr}}|{{with .ManagerStatus}}{{.Addr}}{{end}}|{{with .ManagerStatus}}{{.Reachability}}{{end}}|{{.Description.Hostname}}|{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}},{{end}}')
	while IFS=$'\t' read -r name addr _; do
		id=${by_address[$addr]:-${by_name[$name]:-}}
		id_of[$name]=$id
		[[ -z $id ]] || role_of[$name]=${role_by_id[$id]} labels_of[$name]=${labels_by_id[$id]}
	done < <(nodes)
}

# strangers prints the IDs of the swarm's nodes that are not the spec's, in order of their names.
strangers() {
	local id known
	known=" ${id_of[*]} "
	for id in "${!state_by_id[@]}"; do
		[[ $known == *" $id "* ]] || printf '%s %s\n' "${name_by_id[$id]}" "$id"
	done | sort | cut -d ' ' -f 2
}

# votes sets managers to their number, and reachable to how many of them answer.
votes() {
	local id
	managers=0 reachable=0
	for id in "${!role_by_id[@]}"; do
		[[ ${role_by_id[$id]} == manager ]] || continue
		managers=$((managers + 1))
		[[ ${vote_by_id[$id]} != reachable ]] || reachable=$((reachable + 1))
	done
}
