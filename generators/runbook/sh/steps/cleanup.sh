# What an earlier bundle of this cluster made and this one does not name: stacks, networks, secrets and their values.
# A secret and its value stay one generation: while "docker service rollback" would want them.

readonly amiss='something is left'

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
	while IFS= read -r name; do
		if [[ -n $name && " ${networks[*]%% *} " != *" $name "* ]]; then printf 'network %s\n' "$name"; fi
	done < <(docker network ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
	while IFS= read -r name; do
		if [[ -n $name && $kept_secrets != *" $name "* ]]; then printf 'secret %s\n' "$name"; fi
	done < <(docker secret ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
	for record in "$store"/*; do
		name=${record##*/}
		if [[ -f $record && $kept_secrets != *" ${name%.password} "* ]] && superseded "${name%.password}"; then printf 'value %s\n' "$name"; fi
	done
}

# superseded OBJECT: another revision took its place. The value of a service that is off stays: with its volume the
# service may come back, and want the same one.
superseded() {
	[[ $1 =~ ^(.+)-r[0-9]+$ && " ${secrets[*]%% *} " != *" $1 "* && " ${secrets[*]%% *} " == *" ${BASH_REMATCH[1]}-r"* ]]
}

check() {
	need_swarm
	local line
	while IFS= read -r line; do
		[[ -z $line ]] || would "remove the $line"
	done < <(obsolete)
}

apply() {
	local kind name list
	list=$(obsolete)
	while read -r kind name; do
		case $kind in
		stack)
			docker stack rm "$name"
			wait_for 120 "the tasks of $name to go" tasks_gone "$name"
			rm -f -- "$kept/stacks/$name"
			;;
		network | secret)
			wait_for 30 "the $kind $name to be free" docker "$kind" rm "$name"
			;;
		value) rm -f -- "$store/$name" ;;
		*) continue ;;
		esac
		say "removed the $kind $name"
	done <<<"$list"
}

tasks_gone() { ! docker stack ps --quiet "$1" 2>/dev/null | grep . >/dev/null; }
