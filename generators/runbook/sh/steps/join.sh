# A node joins the swarm that the first manager is in, as a manager or a worker.

readonly join_role=$argument

check() {
	local now
	need_engine
	now=$(swarm_state)
	case $now in
	active)
		stays_at
		gateway_fits
		;;
	locked) refuse "$host is locked" "type \"docker swarm unlock\" on $host, then run again" ;;
	*) would "join the swarm as $role" ;;
	esac
}

# prepare fetches the join token from a manager that is up. It goes to the node on stdin, inside this program.
prepare() {
	[[ $phase == apply ]] || return 0
	local name token
	if [[ $transport == local ]]; then
		if [[ ! -s $state/secrets/join-$role ]]; then
			say "$state/secrets/join-$role is missing" "on $first_manager: docker swarm join-token --quiet $role; put the token into that file" >&2
			return 1
		fi
		given join_address "${inventory_address[$first_manager]}"
		given join_token "$(<"$state/secrets/join-$role")"
		return
	fi
	for name in "${inventory[@]}"; do
		[[ ${inventory_role[$name]} == manager && $name != "$host" ]] || continue
		token=$(ask_node "$name" "docker swarm join-token --quiet $role") || continue
		[[ $token == *SWMTKN-* ]] || continue
		given join_address "${inventory_address[$name]}"
		given join_token "${token##*$'\n'}"
		return
	done
	say 'no manager gives a join token' >&2
	return 1
}

apply() {
	[[ $(swarm_state) == active ]] || join_swarm "$join_address" "$join_token"
}

# after: what a token let in is in; the token itself is worth nothing any more.
after() {
	if [[ $transport == local ]]; then
		say "on $1, when the last node has joined: docker swarm join-token --rotate --quiet $join_role"
		return
	fi
	ask_node "$1" "docker swarm join-token --rotate --quiet $join_role >/dev/null"
}

verify() {
	[[ $(swarm_state) == active ]] || refuse "$host is not in the swarm"
	gateway_fits
}
