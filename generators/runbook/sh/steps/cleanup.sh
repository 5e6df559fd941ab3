# What an earlier bundle of this cluster made and this one does not name: stacks, networks and secrets.

# obsolete prints "kind name" lines.
obsolete() {
	local record name
	for record in "$kept"/stacks/*; do
		name=${record##*/}
		if [[ -f $record && " ${stacks[*]} " != *" $name "* ]]; then printf 'stack %s\n' "$name"; fi
	done
	while IFS= read -r name; do
		if [[ -n $name && " ${networks[*]} " != *" $name "* ]]; then printf 'network %s\n' "$name"; fi
	done < <(docker network ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
	while IFS= read -r name; do
		if [[ -n $name && " ${secrets[*]} " != *" $name "* ]]; then printf 'secret %s\n' "$name"; fi
	done < <(docker secret ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
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
			if [[ $kind == secret ]]; then forget "$name"; fi
			;;
		*) continue ;;
		esac
		say "removed the $kind $name"
	done <<<"$list"
}

# forget OBJECT removes the kept value of a revision that another one took over. The value of a service that is off
# stays: with its volume the service may come back, and want the same one.
forget() {
	if [[ " ${secrets[*]} " == *" ${1%-r*}-r"* ]]; then rm -f -- "$store/$1" "$store/$1.password"; fi
}

tasks_gone() { ! docker stack ps --quiet "$1" 2>/dev/null | grep . >/dev/null; }

verify() {
	check
	((skep_changes == 0)) || refuse 'something is left'
}

undo() { :; }
