# What an earlier bundle of this cluster made and this one does not name: stacks, networks, also those of stacks, secrets and
# their values.
# A secret and its value stay one generation: while "docker service rollback" would want them.

# previous prints the secrets that the services of the wanted stacks had before their last update.
previous() {
	local name
	for name in "${stacks[@]}"; do
		docker service ls --quiet --filter "label=com.docker.stack.namespace=$name"
	done | xargs --no-run-if-empty docker service inspect --format '{{with .PreviousSpec}}{{range .TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{end}}{{end}}'
}

# obsolete prints "kind name" lines.
obsolete() {
	local record name kept_secrets
	kept_secrets=$(previous)
	kept_secrets=" ${secrets[*]%% *} ${kept_secrets//$'\n'/ } "
	for record in "$kept"/stacks/*; do
		name=${record##*/}
		if [[ -f $record && " ${stacks[*]} " != *" $name "* ]]; then printf 'stack %s\n' "$name"; fi
	done
	{ former_networks && outgrown; } | sed 's/^/network /'
	while IFS= read -r name; do
		if [[ -n $name && $kept_secrets != *" $name "* ]]; then printf 'secret %s\n' "$name"; fi
	done < <(docker secret ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
	for record in "$store"/*; do
		name=${record##*/}
		if [[ -f $record && $kept_secrets != *" ${name%.password} "* ]] && superseded "${name%.password}"; then printf 'value %s\n' "$name"; fi
	done
}

# outgrown prints the networks that wanted stacks made and make no more: a deploy leaves them where they are.
outgrown() {
	local of name
	for of in "${stacks[@]}"; do
		[[ -f $kept/stacks/$of ]] || continue
		while IFS= read -r name; do
			printf '%s\n' "${making[@]}" | grep -xF "$of $name" >/dev/null || printf '%s\n' "$name"
		done < <(networks_of "$of")
	done
}

networks_of() { docker network ls --filter "label=com.docker.stack.namespace=$1" --format '{{.Name}}'; }

# held STACK reads the lines of uses, and prints the services of others on the networks of a stack that has no services any more.
held() {
	local service of kind name theirs found=()
	[[ -z $(docker service ls --quiet --filter "label=com.docker.stack.namespace=$1") ]] || return 0
	theirs=$(networks_of "$1")
	while read -r service of kind name; do
		if [[ $kind == network && " ${theirs//$'\n'/ } " == *" $name "* ]]; then found+=("$service"); fi
	done
	printf '%s' "${found[*]}"
}

# leftovers prints "kind name user..." lines: what services of others use of it stays.
leftovers() {
	local kind name list all=''
	list=$(obsolete)
	[[ -n $list ]] || return 0
	all=$(uses)
	while read -r kind name; do
		case $kind in
		network | secret) printf '%s %s %s\n' "$kind" "$name" "$(others "$kind" "$name" <<<"$all")" ;;
		value) printf '%s %s %s\n' "$kind" "$name" "$(others secret "${name%.password}" <<<"$all")" ;;
		stack) printf '%s %s %s\n' "$kind" "$name" "$(held "$name" <<<"$all")" ;;
		esac
	done <<<"$list"
}

check() {
	need_swarm
	local kind name users
	while read -r kind name users; do
		if [[ -n $users && $kind == stack ]]; then
			tell_held "$name" "$users"
		elif [[ -n $users ]]; then
			note "the $kind $name is in use by $users; a run removes it when nothing uses it"
		else
			would "remove the $kind $name"
		fi
	done < <(leftovers)
}

apply() {
	local kind name users list
	list=$(leftovers)
	# The services of all stacks first: one may be on a network of another, which then cannot go, and the command fails.
	while read -r kind name users; do
		[[ $kind != stack || -n $users ]] || docker stack rm "$name" || true
	done <<<"$list"
	while read -r kind name users; do
		[[ -z $users ]] || continue
		case $kind in
		stack) buried "$name" || continue ;;
		network | secret)
			freed "$kind" "$name" || continue
			;;
		value) rm -f -- "$store/$name" ;;
		*) continue ;;
		esac
		say "removed the $kind $name"
	done <<<"$list"
}

# buried STACK waits until all of a stack is gone, but for networks that services of others use.
buried() {
	local network users
	wait_for 120 "the tasks of $1 to go" tasks_gone "$1"
	users=$(uses | held "$1")
	if [[ -n $users ]]; then
		tell_held "$1" "$users"
		return 1
	fi
	while IFS= read -r network; do
		freed network "$network" || return 1
	done < <(networks_of "$1")
	rm -f -- "$kept/stacks/$1"
}

# tell_held STACK USERS
tell_held() { note "the stack $1 is gone but for its networks, which $2 use; a run removes them when nothing uses them"; }

# freed KIND NAME waits until nothing uses it, and removes it.
freed() {
	wait_for 30 "the $1 $2 to be free" removed "$1" "$2" ||
		{ note "the $1 $2 is still in use, by tasks that have not gone or by a container; a later run removes it" && return 1; }
}

# Docker's own words for one that is in use are made of IDs.
removed() { docker "$1" rm "$2" >/dev/null 2>&1; }

# What is in use stays, and stops nothing: apply has failed where it had to.
verify() { check; }

tasks_gone() { ! docker stack ps --quiet "$1" 2>/dev/null | grep . >/dev/null; }
