# Roles and labels of the swarm's nodes, set on the first manager.

prepare() {
	local name
	printf "nodes() {\n\tcat <<'SKEP'\n"
	for name in "${inventory[@]}"; do
		printf '%s\t%s\t%s\t%s\t%s\n' "$name" "${inventory_address[$name]}" "${inventory_role[$name]}" \
			"${inventory_duties[$name]:--}" "${inventory_labels[$name]:--}"
	done
	printf 'SKEP\n}\n'
}

declare -A id_of=() role_of=() labels_of=()

# read_swarm finds the swarm's node for each name: by the label of an earlier run, or else by its address.
read_swarm() {
	local id up role_now addr manager labels name
	local -A by_address=() by_name=() role_by_id=() labels_by_id=()
	while IFS='|' read -r id up role_now addr manager labels; do
		role_by_id[$id]=$role_now labels_by_id[$id]=,$labels
		# A node that left and came back has an old, dead entry beside the new one.
		[[ $up != down || -z ${by_address[$addr]:-} ]] || continue
		by_address[$addr]=$id
		manager=${manager%:*}
		manager=${manager#[}
		manager=${manager%]}
		if [[ -n $manager ]]; then by_address[$manager]=$id; fi
		if [[ ,$labels =~ ,skep\.node=([^,]*), && $up != down ]]; then by_name[${BASH_REMATCH[1]}]=$id; fi
	done < <(docker node ls --quiet | xargs docker node inspect --format '{{.ID}}|{{.Status.State}}|{{.Spec.Role}}|{{.Status.Addr}}|{{with .ManagerStatus}}{{.Addr}}{{end}}|{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}},{{end}}')
	while IFS=$'\t' read -r name addr _; do
		id=${by_address[$addr]:-${by_name[$name]:-}}
		id_of[$name]=$id
		[[ -z $id ]] || role_of[$name]=${role_by_id[$id]} labels_of[$name]=${labels_by_id[$id]}
	done < <(nodes)
}

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
			absent+=("$name ($addr)")
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

# stale LABELS-OF-THE-NODE WANTED... prints the removal of labels that begin with skep. and are wanted no more.
stale() {
	local label have=() wanted
	wanted=$'\n'$(printf '%s\n' "${@:2}")$'\n'
	IFS=',' read -r -a have <<<"${1#,}"
	for label in "${have[@]}"; do
		if [[ $label == skep.* && $wanted != *$'\n'"${label%%=*}="* ]]; then printf ' --label-rm %s' "${label%%=*}"; fi
	done
}

check() {
	need_swarm
	local commands absent=() command
	read_swarm
	differences
	((${#absent[@]} == 0)) || unknown "not in the swarm: ${absent[*]}"
	for command in "${commands[@]}"; do would "$command"; done
}

apply() {
	local commands absent=() command words
	read_swarm
	differences
	((${#absent[@]} == 0)) || refuse "not in this swarm: ${absent[*]}" 'on each: is it in another swarm? docker swarm leave; does it reach the managers? then run again'
	for command in "${commands[@]}"; do
		read -r -a words <<<"$command"
		say "$command"
		docker node "${words[0]}" "${words[@]:2}" "${id_of[${words[1]}]}" >/dev/null
	done
}

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
