# The swarm itself, on the first manager. A swarm that another manager is in already is joined, never made anew.

check() {
	local now
	need_engine
	now=$(swarm_state)
	case $now in
	active)
		is_manager || refuse "$host is a worker of a swarm, the spec wants a manager" "on a manager of that swarm: docker node promote $host; or on $host: docker swarm leave"
		stays_at
		settings
		gateway_fits
		;;
	locked) refuse "$host is locked" "type \"docker swarm unlock\" on $host, then run again" ;;
	*)
		[[ -z $unasked ]] || refuse "${unasked% } did not answer, so nobody knows whether a swarm is there already" 'start it, or take it out of the spec'
		would "make a swarm on $address, or join that of another manager"
		;;
	esac
}

# settings compares what can be fixed only when a swarm is made, and the lock, which can be changed.
settings() {
	local pools port
	pools=$(docker info --format '{{range .Swarm.Cluster.DefaultAddrPool}}{{.}} {{end}}{{.Swarm.Cluster.SubnetSize}}')
	port=$(docker info --format '{{.Swarm.Cluster.DataPathPort}}')
	[[ $pools == "$pool $pool_size" ]] || note "the swarm's address pool is $pools, the spec's $pool $pool_size; it is fixed when a swarm is made"
	((port == 0 || port == data_port)) || refuse "the swarm's data port is $port, the spec wants $data_port" 'it is fixed when a swarm is made: set engine.dataPathPort to what it is'
	[[ $(docker info --format '{{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}}') == "$autolock" ]] ||
		would "set autolock to $autolock"
}

# prepare asks the other managers for a swarm; only when all of them say no may a new one be made.
prepare() {
	local name answer token unasked=''
	for name in "${!silent[@]}"; do
		[[ ${inventory_role[$name]} != manager ]] || unasked+="$name "
	done
	given unasked "$unasked"
	[[ $phase == apply ]] || return 0
	for name in "${inventory[@]}"; do
		[[ ${inventory_role[$name]} == manager && $name != "$host" ]] || continue
		if [[ $transport == local ]]; then
			if [[ ! -s $state/secrets/join-manager ]]; then continue; fi
			given join_address "${inventory_address[$name]}"
			given join_token "$(<"$state/secrets/join-manager")"
			return
		fi
		answer=$(ask_node "$name" "docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'") || {
			say "$name does not answer, so nobody knows whether a swarm is there already: start it, or take it out of the spec" >&2
			return 1
		}
		if [[ $answer == *'active true' ]]; then
			token=$(ask_node "$name" 'docker swarm join-token --quiet manager') || return 1
			given join_address "${inventory_address[$name]}"
			given join_token "${token##*$'\n'}"
			return
		fi
	done
	given join_address ''
	given join_token ''
}

apply() {
	if [[ $(swarm_state) != active ]]; then
		if [[ -n $join_address ]]; then
			join_swarm "$join_address" "$join_token"
		else
			make_gateway
			# The answer holds a join token and the unlock key: it is for no log.
			docker swarm init --advertise-addr "$address" --listen-addr "$(with_port "$address" "$swarm_port")" \
				--data-path-addr "$address" --data-path-port "$data_port" \
				--default-addr-pool "$pool" --default-addr-pool-mask-length "$pool_size" \
				--autolock="$autolock" >/dev/null
		fi
	fi
	wait_for 60 'the swarm' is_manager
	if [[ $(docker info --format '{{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}}') != "$autolock" ]]; then
		docker swarm update --autolock="$autolock" >/dev/null
	fi
	[[ $autolock == false ]] || say "the managers are locked at restarts: keep what \"docker swarm unlock-key\" prints on $host in a safe place"
}

verify() {
	nothing_left 'the swarm is not as the spec wants it'
	docker node ls >/dev/null
}
