# The order of a risky step: workers before managers, the leader last, and the next one only when the last one is Ready,
# a manager also Reachable. A mistake then costs one host, and never the majority of the managers.

# How often a node is looked at until it is back, and how many seconds lie between.
readonly looks=24 pause=5

# risky STEP goes to the hosts of todo. Of a canary one host of each class comes first, and then the other workers side by
# side; what is rolling goes to one host after the other.
risky() {
	local step=$1 ahead=() crowd=() managers=()
	if [[ ${orders[$step]} == canary ]]; then canaries "${todo[@]}"; else one_each "${todo[@]}"; fi
	in_turn "$step" "${ahead[@]}" || return 1
	if ((${#crowd[@]})); then
		each "$parallel" apply_host "$step" "${crowd[@]}"
		failed "$step" "${crowd[@]}" || return 1
	fi
	in_turn "$step" "${managers[@]}"
}

# in_turn STEP HOST...
in_turn() {
	(($# > 1)) || return 0
	each 1 apply_and_wait "$@"
	failed "$@"
}

# one_each HOST... fills ahead with the workers, and managers.
one_each() {
	local host
	for host; do [[ ${inventory_role[$host]} == manager ]] || ahead+=("$host"); done
	leader_last "$@"
}

# canaries HOST... fills ahead with the first host of each class, crowd with the other workers, and managers with the others.
canaries() {
	local host role class
	local -A seen=()
	leader_last "$@"
	for role in worker manager; do
		for host in "$@"; do
			class=${inventory_class[$host]}
			[[ ${inventory_role[$host]} == "$role" && -z ${seen[$class]:-} ]] || continue
			# The leader is last, also where it is alone in its class.
			if ((${#managers[@]} > 1)) && [[ $host == "${managers[-1]}" ]]; then continue; fi
			seen[$class]=$host
			ahead+=("$host")
		done
	done
	for host; do
		if [[ ${inventory_role[$host]} == worker && ${seen[${inventory_class[$host]}]} != "$host" ]]; then crowd+=("$host"); fi
	done
	for host in "${!managers[@]}"; do
		if [[ ${seen[${inventory_class[${managers[host]}]}]:-} == "${managers[host]}" ]]; then unset "managers[$host]"; fi
	done
}

# leader_last HOST... fills managers with those of the hosts.
leader_last() {
	local host leader=''
	for host; do [[ ${inventory_role[$host]} != manager ]] || managers+=("$host"); done
	((${#managers[@]} > 1)) || return 0
	for host in "${!managers[@]}"; do
		[[ $(answer "${managers[host]}" "docker node inspect self --format '{{with .ManagerStatus}}{{.Leader}}{{end}}'") == true ]] || continue
		leader=${managers[host]}
		unset "managers[$host]"
		break
	done
	managers=("${managers[@]}")
	if [[ -n $leader ]]; then managers+=("$leader"); fi
}

# answer HOST COMMAND prints the last line that a node answers, or nothing.
answer() { ask_node "$1" "$2" 2>/dev/null | tail -n 1 || true; }

# apply_and_wait STEP HOST
apply_and_wait() {
	local started=$EPOCHSECONDS tries=0 cause
	if [[ ${orders[$1]} == rolling ]] && ! spare "$2" >"$state/output/$1.$2.log"; then
		host_failed "$1" "$2" before 12 "$started"
		return 1
	fi
	apply_host "$1" "$2" || return
	while cause=$(unsettled "$2") && [[ -n $cause ]]; do
		if ((++tries == looks)); then
			printf '%s\n' "$cause, after $((looks * pause))s" 'see docker node ls on a manager; the hosts that come later were left alone' | plain >>"$state/output/$1.$2.log"
			host_failed "$1" "$2" wait 1 "$started"
			return 1
		fi
		sleep "$pause"
	done
}

# spare HOST: whether the managers keep their majority while this one starts anew; one or two never do.
spare() {
	local status votes=0 reachable=0
	[[ ${inventory_role[$1]} == manager && $transport == ssh ]] || return 0
	while IFS= read -r status; do
		case $status in
		Leader | Reachable) votes=$((votes + 1)) reachable=$((reachable + 1)) ;;
		Unreachable) votes=$((votes + 1)) ;;
		esac
	done < <(ask_node "$1" "docker node ls --format '{{.ManagerStatus}}' 2>/dev/null || true" 2>/dev/null)
	if ((votes < 3 || 2 * (reachable - 1) > votes)); then return 0; fi
	say "$reachable of $votes managers answer: without $1 for a moment they would have no majority"
	say "start the managers that are down, or take them out: runbook.sh run --remove-dead NAME; or leave $1 as it is: --except $1"
	return 1
}

# unsettled HOST prints what a node lacks, in the eyes of a manager, the others before itself. A node outside of a swarm lacks nothing.
unsettled() {
	local id name now others=()
	# With --transport local nobody but this machine can be asked, and the step has looked at that.
	[[ $transport == ssh ]] || return 0
	id=$(answer "$1" "docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}' 2>/dev/null || echo inactive")
	case $id in
	inactive*) return 0 ;;
	active*) id=${id#active } ;;
	*) id='' ;;
	esac
	[[ $id =~ ^[a-z0-9.]+$ ]] || {
		say "$1 is not back in the swarm"
		return
	}
	for name in "${inventory[@]}"; do
		[[ $name == "$1" || ${inventory_role[$name]} != manager ]] || others+=("$name")
	done
	for name in "${others[@]}" "$1"; do
		now=$(answer "$name" "docker node inspect --format '{{.Status.State}} {{with .ManagerStatus}}{{.Reachability}}{{end}}' $id")
		case $now in
		ready | 'ready ' | 'ready reachable') return 0 ;;
		'') continue ;;
		*)
			say "$1 is not Ready and Reachable: $name sees it ${now% }"
			return
			;;
		esac
	done
	say "no manager says whether $1 is back"
}
