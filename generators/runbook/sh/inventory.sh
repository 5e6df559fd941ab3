# The nodes (runbook/hosts) and the steps (runbook/NN-name.sh, as MANIFEST lists them), read into arrays.

declare -A inventory_address=() inventory_ssh=() inventory_role=() inventory_user=() inventory_port=()
declare -A inventory_class=() inventory_duties=() inventory_labels=()
inventory=() first_manager=''

read_inventory() {
	local name address ssh role user port class duties labels
	# A tab is white space to read, so an empty column is written as "-".
	while IFS=$'\t' read -r name address ssh role user port class duties labels; do
		[[ $name != '#'* ]] || continue
		inventory+=("$name")
		inventory_address[$name]=$address inventory_ssh[$name]=$ssh inventory_role[$name]=$role
		inventory_user[$name]=$user inventory_port[$name]=$port inventory_class[$name]=$class
		inventory_duties[$name]=${duties#-} inventory_labels[$name]=${labels#-}
		if [[ $role == manager && -z $first_manager ]]; then first_manager=$name; fi
	done <"$bundle/runbook/hosts"
}

declare -A step_files=() titles=() whys=() groups=() orders=() dangers=() undos=() needed=() selected=()
steps=()

# Each step is read in a shell of its own: all of them define the same names.
read_steps() {
	local path id title why hosts order needs danger undo
	for path in "${listed[@]}"; do
		[[ $path == runbook/[0-9]*.sh ]] || continue
		path=$bundle/$path
		IFS=$'\t' read -r id title why hosts order needs danger undo < <(
			# shellcheck source=/dev/null
			source "$path"
			metadata
		) || die 4 "${path#"$bundle/"}: is not a step"
		steps+=("$id")
		step_files[$id]=$path titles[$id]=$title whys[$id]=$why groups[$id]=$hosts orders[$id]=$order
		needed[$id]=${needs#-} dangers[$id]=${danger#-} undos[$id]=$undo
	done
}

number() {
	local name=${step_files[$1]##*/}
	printf '%s' "${name%%-*}"
}

# step_named sets found to the step that a user names by id, number or both.
step_named() {
	local id name
	for id in "${steps[@]}"; do
		name=${step_files[$id]##*/}
		name=${name%.sh}
		if [[ $2 == "$id" || $2 == "$name" || $2 == "${name%%-*}" ]]; then
			found=$id
			return
		fi
	done
	die 2 "$1 $2: no such step; see runbook.sh list"
}

# select_steps fills selected from --from, --to, --only and --skip.
select_steps() {
	local id found first='' last='' on=yes
	local -A picked=() left=()
	if [[ -n $from ]]; then step_named --from "$from" && first=$found; fi
	if [[ -n $to ]]; then step_named --to "$to" && last=$found; fi
	for id in "${only[@]}"; do step_named --only "$id" && picked[$found]=1; done
	for id in "${skip[@]}"; do step_named --skip "$id" && left[$found]=1; done
	[[ -z $first ]] || on=no
	for id in "${steps[@]}"; do
		[[ $id != "$first" ]] || on=yes
		if [[ $on == yes && -z ${left[$id]:-} && (${#only[@]} -eq 0 || -n ${picked[$id]:-}) ]]; then selected[$id]=1; fi
		[[ $id != "$last" ]] || on=no
	done
}

# hosts_of STEP fills hosts with the names of the step's hosts, all of them or those of --host.
hosts_of() {
	local group=${groups[$1]} name
	hosts=()
	if [[ $group == operator ]]; then
		if is_wanted operator; then hosts=(operator); fi
		return
	fi
	for name in "${inventory[@]}"; do
		if belongs "$name" "$group" && is_wanted "$name"; then hosts+=("$name"); fi
	done
}

is_wanted() {
	((${#wanted[@]})) || return 0
	local name
	for name in "${wanted[@]}"; do
		[[ $name != "$1" ]] || return 0
	done
	return 1
}

# belongs NODE GROUP
belongs() {
	local duty
	case $2 in
	all) return 0 ;;
	managers) [[ ${inventory_role[$1]} == manager ]] ;;
	workers) [[ ${inventory_role[$1]} == worker ]] ;;
	'first manager') [[ $1 == "$first_manager" ]] ;;
	'other managers') [[ ${inventory_role[$1]} == manager && $1 != "$first_manager" ]] ;;
	'duty '*)
		for duty in ${2#duty }; do
			[[ " ${inventory_duties[$1]} " != *" $duty "* ]] || return 0
		done
		return 1
		;;
	*) die 4 "$2: unknown group of hosts" ;;
	esac
}
