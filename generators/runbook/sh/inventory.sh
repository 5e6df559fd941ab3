# The tables that the spec decides, read into arrays: the nodes (runbook/hosts) and the steps (runbook/cluster.sh).

declare -A inventory_address=() inventory_ssh=() inventory_role=() inventory_user=() inventory_port=()
declare -A inventory_class=() inventory_duties=() inventory_labels=() inventory_architecture=() inventory_release=()
declare -A excepted=()
inventory=() first_manager=''

read_inventory() {
	local name address ssh role user port class duties labels architecture release
	# A tab is white space to read, so an empty column is written as "-".
	while IFS=$'\t' read -r name address ssh role user port class duties labels architecture release; do
		[[ $name != '#'* ]] || continue
		inventory+=("$name")
		inventory_address[$name]=$address inventory_ssh[$name]=$ssh inventory_role[$name]=$role
		inventory_user[$name]=$user inventory_port[$name]=$port inventory_class[$name]=$class
		inventory_duties[$name]=${duties#-} inventory_labels[$name]=${labels#-} inventory_architecture[$name]=$architecture
		inventory_release[$name]=$release
		if [[ $role == manager && -z $first_manager ]]; then first_manager=$name; fi
	done <"$bundle/runbook/hosts"
}

declare -A numbers=() titles=() whys=() groups=() orders=() dangers=() undos=() needed=() bodies=() arguments=() uses=() sent=()
declare -A selected=()
steps=()

# step NUMBER NAME KEY=VALUE... is a row of the table.
step() {
	local title='' why='' hosts='' order='' needs='' danger='' undo='' body='' argument='' files='' facts=''
	local "${@:3}"
	steps+=("$2")
	numbers[$2]=$1 titles[$2]=$title whys[$2]=$why groups[$2]=$hosts orders[$2]=$order needed[$2]=$needs
	dangers[$2]=$danger undos[$2]=$undo bodies[$2]=$body arguments[$2]=$argument uses[$2]=$facts sent[$2]=$files
}

# read_steps also brings the function variables, which sets what the steps use.
read_steps() {
	# shellcheck source=/dev/null
	source "$bundle/runbook/cluster.sh"
}

# step_named sets found to the step that a user names by id, number or both. The users' stacks have one number.
step_named() {
	local id same=()
	for id in "${steps[@]}"; do
		if [[ $2 == "$id" || $2 == "${numbers[$id]}-$id" ]]; then
			found=$id
			return
		fi
		[[ $2 != "${numbers[$id]}" ]] || same+=("$id")
	done
	((${#same[@]})) || die 2 "$1 $2: no such step; see runbook.sh list"
	((${#same[@]} == 1)) || die 2 "$1 $2: is the number of ${same[*]}; name one of them"
	found=${same[0]}
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

# hosts_of STEP fills hosts with the names of the step's hosts, all of them or those that are selected; absent with those
# of them that do not answer.
hosts_of() {
	local group=${groups[$1]} name
	hosts=() absent=()
	if [[ $group == operator ]]; then
		if is_wanted operator; then hosts=(operator); fi
		return
	fi
	for name in "${inventory[@]}"; do
		belongs "$name" "$group" && is_wanted "$name" || continue
		if [[ -n ${silent[$name]:-} ]]; then absent+=("$name"); else hosts+=("$name"); fi
	done
}

is_wanted() {
	[[ -z ${excepted[$1]:-} ]] || return 1
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
