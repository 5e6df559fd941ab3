# Roles and labels of the swarm's nodes, set on the first manager; and what the swarm has beside the nodes of the spec.

# wanted_labels NAME DUTIES LABELS prints key=value lines.
wanted_labels() {
	local duty
	printf 'skep.node=%s\n' "$1"
	for duty in ${2#-}; do printf 'skep.%s=true\n' "$duty"; done
	[[ $3 == - ]] || tr ',' '\n' <<<"$3"
}

# differences fills commands with one "verb name arguments" for each difference; promotions come before demotions.
differences() {
	local name addr want tasks labels label arguments demote=() later=()
	commands=()
	while IFS=$'\t' read -r name addr want tasks labels; do
		if [[ -z ${id_of[$name]} ]]; then
			# Who takes no part in this run joins in a later one.
			is_silent "$name" || absent+=("$name ($addr)")
			continue
		fi
		arguments=''
		later=()
		while IFS= read -r label; do
			later+=("$label")
			[[ ${labels_of[$name]} == *",$label,"* ]] || arguments+=" --label-add $label"
		done < <(wanted_labels "$name" "$tasks" "$labels")
		arguments+=$(stale "${labels_of[$name]}" "${later[@]}")
		if [[ ${role_of[$name]} != "$want" && $want == manager ]]; then commands+=("promote $name"); fi
		if [[ ${role_of[$name]} != "$want" && $want == worker ]]; then demote+=("demote $name"); fi
		if [[ -n $arguments ]]; then commands+=("update $name$arguments"); fi
	done < <(nodes)
	commands+=("${demote[@]}")
}

# stale LABELS-OF-THE-NODE WANTED... prints the removal of labels that begin with skep. and are no longer wanted.
stale() {
	local label have=() wanted
	wanted=$'\n'$(printf '%s\n' "${@:2}")$'\n'
	IFS=',' read -r -a have <<<"${1#,}"
	for label in "${have[@]}"; do
		if [[ $label == skep.* && $wanted != *$'\n'"${label%%=*}="* ]]; then printf ' --label-rm %s' "${label%%=*}"; fi
	done
}

# beside tells of members that the spec does not have, and of dead ones. A manager stops the run before its firewall cuts
# that vote off.
beside() {
	local id name managers reachable
	votes
	for id in $(strangers); do
		name=${name_by_id[$id]}
		if is_removed "$id"; then continue; fi
		if [[ ${state_by_id[$id]} == down ]]; then
			note "the swarm still has the node $name, which is down and is not in the spec; to take it out: runbook.sh run --remove-dead $name"
		elif [[ ${role_by_id[$id]} == manager ]]; then
			refuse "$name is a manager of this swarm and is not in the spec: the firewall would cut it off, and its vote with it" \
				"put it back into the spec; or on $host: docker node demote $name, then docker node update --availability drain $name, and on $name: docker swarm leave"
		else
			note "$name is a worker of this swarm and is not in the spec: the firewall cuts it off from the others; on $host: docker node update --availability drain $name, then on $name: docker swarm leave"
		fi
	done
	for name in "${!id_of[@]}"; do
		id=${id_of[$name]}
		[[ -n $id && ${role_by_id[$id]} == manager && ${vote_by_id[$id]} != reachable ]] && ! is_removed "$id" || continue
		note "the manager $name does not answer: $reachable of $managers managers are left; start it, or if it is gone for good: runbook.sh run --remove-dead $name"
	done
}

# is_removed ID: whether --remove-dead names this node, and it is dead.
is_removed() { [[ ${state_by_id[$1]} == down && " $removed " == *" ${name_by_id[$1]} "* ]]; }

# dead prints the IDs that --remove-dead means.
dead() {
	local id
	for id in "${!name_by_id[@]}"; do
		if is_removed "$id"; then printf '%s\n' "$id"; fi
	done
}

# may_remove refuses to remove a node that is not down, or anything without a majority.
may_remove() {
	local name id managers reachable found
	votes
	for name in $removed; do
		found=''
		for id in "${!name_by_id[@]}"; do
			if [[ ${name_by_id[$id]} == "$name" ]]; then found+=" ${state_by_id[$id]}"; fi
		done
		case "$found " in
		' ') note "--remove-dead $name: the swarm has no such node" ;;
		*' down '*) ((reachable * 2 > managers)) || refuse "--remove-dead $name: $reachable of $managers managers answer, which is no majority" 'start the managers that are down first' ;;
		*) refuse "--remove-dead $name: it is ${found# }, and only a node that is down is removed" "drain it, then on $name: docker swarm leave" ;;
		esac
	done
}

check() {
	need_swarm
	local commands absent=() command id
	read_swarm
	may_remove
	beside
	for id in $(dead); do would "remove the dead node ${name_by_id[$id]}"; done
	differences
	((${#absent[@]} == 0)) || unknown "not in the swarm: ${absent[*]}"
	for command in "${commands[@]}"; do would "$command"; done
}

apply() {
	local commands absent=() command words id
	read_swarm
	may_remove
	for id in $(dead); do remove "$id"; done
	differences
	((${#absent[@]} == 0)) || refuse "not in this swarm: ${absent[*]}" 'on each: is it in another swarm? docker swarm leave; does it reach the managers? then run again'
	for command in "${commands[@]}"; do
		read -r -a words <<<"$command"
		say "$command"
		docker node "${words[0]}" "${words[@]:2}" "${id_of[${words[1]}]}" >/dev/null
	done
}

# remove ID: a manager is a worker before it can go.
remove() {
	[[ ${role_by_id[$1]} == worker ]] || docker node demote "$1" >/dev/null
	wait_for 30 "the swarm to let ${name_by_id[$1]} go" let_go "$1"
	say "removed the dead node ${name_by_id[$1]}"
	unset "role_by_id[$1]" "state_by_id[$1]"
	local name
	for name in "${!id_of[@]}"; do
		if [[ ${id_of[$name]} == "$1" ]]; then id_of[$name]=''; fi
	done
}

# let_go ID fails while the swarm still takes the node for a manager.
let_go() { docker node rm --force "$1" >/dev/null 2>&1; }

verify() {
	wait_for 60 'roles and labels' settled
}

settled() {
	local commands=() absent=()
	read_swarm
	differences
	((${#commands[@]} + ${#absent[@]} == 0))
}

undo() {
	local name label have=() arguments
	is_manager || return 0
	read_swarm
	for name in "${!id_of[@]}"; do
		[[ -n ${id_of[$name]} ]] || continue
		arguments=()
		IFS=',' read -r -a have <<<"${labels_of[$name]#,}"
		for label in "${have[@]}"; do
			if [[ $label == skep.* ]]; then arguments+=(--label-rm "${label%%=*}"); fi
		done
		((${#arguments[@]} == 0)) || docker node update "${arguments[@]}" "${id_of[$name]}" >/dev/null
	done
}
