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

undo() {
	[[ $(swarm_state) == inactive ]] || docker swarm leave --force
}
