# with_port ADDRESS PORT
with_port() {
	if [[ $1 == *:* ]]; then printf '[%s]:%s' "$1" "$2"; else printf '%s:%s' "$1" "$2"; fi
}

# join_swarm ADDRESS TOKEN. The engine's socket takes the token on stdin; the docker command would show it in its
# argument list to every user of the node.
join_swarm() {
	local answer code body
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
