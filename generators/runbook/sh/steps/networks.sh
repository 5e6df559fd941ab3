# The overlay networks that several stacks share. Their settings cannot be changed later.

readonly amiss='a network is missing'

# read_row sets the fields of one wanted network.
read_row() {
	read -r name attachable internal encrypted mtu subnet <<<"$1"
}

# is_there NAME
is_there() { docker network inspect "$1" >/dev/null 2>&1; }

check() {
	need_swarm
	local row name attachable internal encrypted mtu subnet
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then compare; else would "create the network $name"; fi
	done
	renamed
}

# renamed: Traefik stays on a network that got another name until services of others have left it (step traefik). One that is
# on several networks it would look for on any of them, since it finds none of the name that the spec has now.
renamed() {
	local name all='' service label lost=()
	while IFS= read -r name; do
		[[ -n $all ]] || all=$(uses)
		grep -q "^[^ ]* traefik network $name$" <<<"$all" || continue
		for service in $(others network "$name" <<<"$all"); do
			(($(grep -c "^$service [^ ]* network " <<<"$all") > 1)) || continue
			is_lost "$service" || continue
			lost+=("docker service update --detach --label-add $label=$name $service")
		done
	done < <(former_networks)
	((${#lost[@]} == 0)) || refuse 'Traefik would not know on which network to find services of others, since theirs is not in the spec anymore' \
		'tell it, which restarts no task, and run again:' "${lost[@]}"
}

# is_lost SERVICE: Traefik is to find it, and no label says where. Labels of both kinds on one service it refuses.
is_lost() {
	local labels
	labels=$(docker service inspect --format '{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}} {{end}}' "$1")
	label=traefik.swarm.network
	[[ " $labels" != *' traefik.docker.'* ]] || label=traefik.docker.network
	[[ " $labels" == *' traefik.enable=true '* && " $labels" != *" $label="* ]]
}

# compare refuses a network of the same name that is another one.
compare() {
	differs "$name" "$attachable" "$internal" "$encrypted" "$mtu" "$subnet" || return 0
	refuse "the network $name exists with other settings" "${differing[@]}" \
		"way out: docker stack rm the stacks on it, docker network rm $name, then run again; or change the spec"
}

apply() {
	local row name attachable internal encrypted mtu subnet options
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then continue; fi
		options=(--driver overlay --scope swarm --label "skep.cluster=$cluster" --opt "com.docker.network.driver.mtu=$mtu")
		if [[ $attachable == true ]]; then options+=(--attachable); fi
		if [[ $internal == true ]]; then options+=(--internal); fi
		if [[ $encrypted == true ]]; then options+=(--opt encrypted); fi
		if [[ $subnet != - ]]; then options+=(--subnet "$subnet"); fi
		docker network create "${options[@]}" "$name" >/dev/null
		say "created the network $name"
	done
}

undo() {
	local row name attachable internal encrypted mtu subnet
	is_manager || return 0
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then docker network rm "$name"; fi
	done
}
