# How a node joins a swarm and leaves it, for the first manager and the others.

# with_port ADDRESS PORT
with_port() {
	if [[ $1 == *:* ]]; then printf '[%s]:%s' "$1" "$2"; else printf '%s:%s' "$1" "$2"; fi
}

# join_swarm ADDRESS TOKEN. The engine's socket takes the token on stdin; the docker command would show it in its
# argument list to every user of the node.
join_swarm() {
	local answer code body
	make_gateway
	body=$(printf '{"ListenAddr":"%s","AdvertiseAddr":"%s","DataPathAddr":"%s","RemoteAddrs":["%s"],"JoinToken":"%s"}' \
		"$(with_port "$address" "$swarm_port")" "$address" "$address" "$(with_port "$1" "$swarm_port")" "$2")
	answer=$(printf '%s' "$body" | curl --silent --max-time 60 --unix-socket /var/run/docker.sock -H 'Content-Type: application/json' \
		--data-binary @- --write-out '\n%{http_code}' http://localhost/swarm/join) || refuse "the engine of $host does not answer"
	code=${answer##*$'\n'}
	case $code in
	200) ;;
	503) say 'joining takes longer than usual' ;; # already under way; the wait below decides
	*) refuse "joining: ${answer%$'\n'*}" "from $host, port $swarm_port of $1 must be open, and clocks must agree" ;;
	esac
	wait_for 90 'the node to be in the swarm' joined
}

joined() { [[ $(swarm_state) == active ]]; }

# The bridge through which tasks leave the node. Docker makes it when a node joins, whatever daemon.json says, with an MTU
# of its own (moby#41406); one that is there already is left alone.
readonly gateway=docker_gwbridge

make_gateway() {
	((link_mtu)) || return 0
	if docker network inspect "$gateway" >/dev/null 2>&1; then return; fi
	docker network create --driver bridge --opt "com.docker.network.bridge.name=$gateway" \
		--opt com.docker.network.bridge.enable_icc=false --opt com.docker.network.bridge.enable_ip_masquerade=true \
		--opt "com.docker.network.driver.mtu=$link_mtu" "$gateway" >/dev/null
	say "created the network $gateway with MTU $link_mtu"
}

# gateway_fits says how to get another bridge: nobody can change the one that is in use.
gateway_fits() {
	local mtu
	((link_mtu)) || return 0
	mtu=$(docker network inspect --format '{{index .Options "com.docker.network.driver.mtu"}}' "$gateway" 2>/dev/null) || return 0
	[[ $mtu == "$link_mtu" ]] || note "$gateway has an MTU of ${mtu:-1500}, network.mtu is $link_mtu; to change it drain $host, on it docker swarm leave (a manager is demoted first) and docker network rm $gateway, then run again"
}

# stays_at: a node's address is fixed when it joins, and a firewall with another one would cut it off.
stays_at() {
	local now
	now=$(docker info --format '{{.Swarm.NodeAddr}}' 2>/dev/null) || now=''
	[[ -z $now || $now == "$address" ]] || refuse "$host is in the swarm as $now, and the spec says $address: an address is fixed when a node joins" \
		"set nodes.$host.address to what it is; or have $host leave the swarm first (drain it, demote a manager, then docker swarm leave), and run again"
}

# A manager steps down before it leaves, and stays when the others would lose their majority. With the last one the swarm goes.
undo() {
	[[ $(swarm_state) != inactive ]] || return 0
	if is_manager; then step_down; fi
	docker swarm leave --force
}

step_down() {
	local status managers=0 reachable=0
	while IFS= read -r status; do
		case $status in
		Leader | Reachable) managers=$((managers + 1)) reachable=$((reachable + 1)) ;;
		Unreachable) managers=$((managers + 1)) ;;
		esac
	done < <(docker node ls --format '{{.ManagerStatus}}')
	((managers > 1)) || return 0
	((2 * (reachable - 1) > managers - 1)) || refuse "$reachable of $managers managers answer: without $host they would have no majority" \
		'start the managers that are down, or take them out: runbook.sh run --remove-dead NAME'
	docker node demote "$(docker info --format '{{.Swarm.NodeID}}')" >/dev/null
	wait_for 60 "$host to be a worker" is_worker
}

is_worker() { ! is_manager; }
