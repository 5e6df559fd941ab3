# The host firewall of a node: loaded on trial, and kept only when a new connection gets through.

readonly amiss='the firewall is not as wanted'

files() {
	local ending
	printf '%s\n' firewall/skep-firewall.sh firewall/skep-firewall.service firewall/docker.service.conf
	for ending in "${endings[@]}"; do printf 'firewall/%s%s\n' "$class" "$ending"; done
}

trial() { { "$firewall_command" status 2>/dev/null || true; } | sed -n 's/^trial: //p'; }

check() {
	local i told=''
	own_device
	unnamed_bridges
	would_install firewall/skep-firewall.sh "$firewall_command"
	would_install firewall/skep-firewall.service "$firewall_unit"
	for i in "${!endings[@]}"; do would_install "firewall/$class${endings[i]}" "${rules_paths[i]}"; done
	if [[ ! -x $firewall_command ]]; then
		would 'load the rules'
	elif ! told=$("$firewall_command" status 2>/dev/null); then
		would "load the rules:"$'\n'"$(sed -n '/^installed: /!s/^/   /p' <<<"$told")"
	fi
	systemctl is-enabled --quiet "${firewall_unit##*/}" 2>/dev/null || would "enable ${firewall_unit##*/}"
	systemctl is-active --quiet "${firewall_unit##*/}" 2>/dev/null || would "start ${firewall_unit##*/}"
	would_install firewall/docker.service.conf "$docker_wait"
}

# is_bridge DEVICE: do the rules take it for a bridge of Docker?
is_bridge() { is_like "$1" "${bridges[@]}"; }

# own_device refuses rules that would take the node's own packets for those of containers.
own_device() {
	local device
	while read -r _ device _; do
		if is_bridge "$device"; then
			refuse "$address is the address of $device, which the rules take for a bridge of Docker" 'rename the interface; or, where firewall.bridges has its name, take it out there'
		fi
	done < <(ip -o address show to "$address" 2>/dev/null)
}

# unnamed_bridges tells of Docker's networks whose containers the rules do not know by their bridge.
unnamed_bridges() {
	local id name device ids
	has docker && engine_up || return 0
	mapfile -t ids < <(docker network ls --quiet --no-trunc --filter driver=bridge)
	((${#ids[@]})) || return 0
	while read -r id name device; do
		[[ -n $device ]] || device=br-${id:0:12}
		is_bridge "$device" || note "the bridge $device of Docker's network $name is not in firewall.bridges: its containers are cut off; add it"
	done < <(docker network inspect --format '{{.Id}} {{.Name}} {{index .Options "com.docker.network.bridge.name"}}' "${ids[@]}")
}

apply() {
	local i new=()
	put firewall/skep-firewall.sh "$firewall_command" 0755
	put firewall/skep-firewall.service "$firewall_unit" 0644
	systemctl daemon-reload
	# An interrupted run leaves a trial behind.
	if [[ $(trial) == pending ]]; then "$firewall_command" rollback; fi
	for i in "${!endings[@]}"; do new+=("$kept/bundle/firewall/$class${endings[i]}"); done
	"$firewall_command" try "${new[@]}"
}

# confirm comes over a new connection, which the rules on trial must have let in. With --transport local nothing here is
# new: who came by ssh confirms over a second login; who sits at the console, or is no person, cannot be locked out.
confirm() {
	if [[ -z ${came_by:-} ]]; then
		"$firewall_command" confirm
	else
		wait_for "$rollback" "$firewall_command confirm, over a second login" confirmed
	fi
	# Not before: without rules that somebody confirmed Docker would wait for ever.
	put firewall/docker.service.conf "$docker_wait" 0644
	systemctl daemon-reload
}

confirmed() { [[ $(trial) == confirmed ]]; }

prepare() {
	[[ $phase == confirm ]] || return 0
	still_reached "$host" || return 1
	given came_by "$(local_login)"
}

# local_login prints how a person came to the machine that runs the runbook on itself; sudo hides what ssh said.
local_login() {
	[[ $transport == local ]] || return 0
	if [[ -z ${SSH_CONNECTION:-} && -n ${SUDO_USER:-} ]] && { : </dev/tty; } 2>/dev/null; then
		printf 'sudo'
	else
		printf '%s' "${SSH_CONNECTION:-}"
	fi
}

# before asks the terminal for the second login, since what the step itself prints comes when it has ended; and the other
# nodes which ports they reach now.
before() {
	if [[ $transport == local ]]; then
		((${#inventory[@]} == 1)) || say 'on this machine alone: nobody asks the other nodes whether they still reach it'
		[[ -n $(local_login) ]] || return 0
		{ printf '\n   The rules go on trial. Within %s seconds log in once more and run: %s confirm\n' "$rollback" "$firewall_command" >/dev/tty; } 2>/dev/null || true
		return
	fi
	neighbours "$1" >"$work/$1.neighbours"
}

# neighbours HOST prints up to two other nodes that answer, a manager first, and which ports of the host they reach.
neighbours() {
	local host=$1 role name ports tries seen=' ' answer
	ports=$(ports_of "$host")
	[[ -n $ports ]] || return 0
	for role in manager any; do
		tries=0
		for name in "${inventory[@]}"; do
			[[ $name != "$host" && $seen != *" $name "* && ($role == any || ${inventory_role[$name]} == "$role") ]] || continue
			((++tries <= 3)) || break
			seen+="$name "
			if answer=$(reach "$name" "$host" "$ports"); then
				printf '%s %s\n' "$name" "$(sed -n 's/^\([0-9]*\) 0$/\1/p' <<<"$answer" | tr '\n' ' ')"
				break
			fi
		done
	done
}

# ports_of HOST prints the ports that other nodes are to reach on it.
ports_of() {
	local row port on
	for row in "${reached[@]}"; do
		read -r port on <<<"$row"
		[[ " all ${inventory_role[$1]}s $1 " != *" $on "* ]] || printf '%s ' "$port"
	done
}

# reach NODE HOST PORTS prints "port code" a port: 0 is open, 124 is silence, anything else an answer that says no.
reach() {
	ask_node "$1" "for port in $3; do
	(
		code=0
		timeout 3 bash -c ': </dev/tcp/${inventory_address[$2]}/'\$port 2>/dev/null || code=\$?
		echo \$port \$code
	) &
done
wait" 2>/dev/null
}

# still_reached HOST: a port that another node reached before the trial must not be silent now. A node that died meanwhile
# proves nothing.
still_reached() {
	local name ports answer silent
	while read -r name ports; do
		[[ -n $ports ]] || continue
		answer=$(reach "$name" "$1" "$ports") || continue
		ports=$(sed -n 's/^\([0-9]*\) 124$/\1/p' <<<"$answer" | tr '\n' ' ')
		[[ -n $ports ]] || continue
		# Once more: a packet may be lost.
		answer=$(reach "$name" "$1" "$ports") || continue
		silent=$(sed -n 's/^\([0-9]*\) 124$/\1/p' <<<"$answer" | sort -n | tr '\n' ' ')
		[[ -z $silent ]] || say "$name reached port ${silent% } of $1 before the trial, and does not now" >>"$work/$1.cut"
	done < <(cat -- "$work/$1.neighbours" 2>/dev/null || true)
	[[ -s $work/$1.cut ]] || return 0
	cat -- "$work/$1.cut" >&2
	say 'do packets between the nodes come from nodes.*.address?' >&2
	return 1
}

# lost runs on the operator's machine when nobody confirmed the rules.
lost() {
	local until=$((SECONDS + rollback + 60))
	if [[ $transport == local ]]; then
		say "nobody confirmed the rules on trial over a second login; the previous ones come back within ${rollback}s"
		return
	fi
	# A connection came through, and the rules were refused for another reason.
	if [[ -s $work/$1.cut ]] || grep -q '^skep-firewall: ' "$state/output/firewall.$1.log"; then
		rm -f -- "$work/$1.cut"
		printf '%s rollback\n' "$firewall_command" | shell_on "$1" 2>&1 || say "the previous rules of $1 come back within ${rollback}s"
		return
	fi
	say "no new connection to $1 came through the rules on trial; without a confirmation the previous ones come back within ${rollback}s"
	until printf 'true\n' | shell_on "$1" new >/dev/null 2>&1; do
		if ((SECONDS >= until)); then
			say "$1 still does not answer: use its console, then: $firewall_command rollback"
			return
		fi
		sleep 2
	done
	say "$1 answers again under its previous rules. Is the address you come from in access.management? Correct the spec, build, run again"
}

undo() {
	[[ ! -x $firewall_command ]] || "$firewall_command" remove
	systemctl disable --quiet "${firewall_unit##*/}" 2>/dev/null || true
	take_back "$docker_wait"
	take_back "$firewall_unit"
	take_back "$firewall_command"
	systemctl daemon-reload
	systemctl reset-failed "${firewall_unit##*/}" 2>/dev/null || true
}
