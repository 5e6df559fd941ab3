# What services of others use of skep's: it stays until they have let go of it.

# former_networks prints the shared networks of this cluster that the spec no longer names.
former_networks() {
	local name
	while IFS= read -r name; do
		if [[ -n $name && " ${networks[*]%% *} " != *" $name "* ]]; then printf '%s\n' "$name"; fi
	done < <(docker network ls --filter "label=skep.cluster=$cluster" --format '{{.Name}}')
}

# uses prints "SERVICE STACK network|secret NAME" for all that services use; "-" is no stack.
uses() {
	local id name service of ids names
	local -A called=()
	while read -r id name; do called[$id]=$name; done < <(docker network ls --no-trunc --format '{{.ID}} {{.Name}}')
	while IFS='|' read -r service of ids names; do
		for id in $ids; do
			[[ -z ${called[$id]:-} ]] || printf '%s %s network %s\n' "$service" "${of:--}" "${called[$id]}"
		done
		for name in $names; do printf '%s %s secret %s\n' "$service" "${of:--}" "$name"; done
	done < <(docker service ls --quiet | xargs --no-run-if-empty docker service inspect --format '{{.Spec.Name}}|{{index .Spec.Labels "com.docker.stack.namespace"}}|{{range .Spec.TaskTemplate.Networks}}{{.Target}} {{end}}|{{with .Spec.TaskTemplate.ContainerSpec}}{{range .Secrets}}{{.SecretName}} {{end}}{{end}}')
}

# others KIND NAME reads the lines of uses, and prints the services that use it and are of no stack of skep's.
others() {
	local service of kind name found=()
	while read -r service of kind name; do
		[[ "$kind $name" == "$1 $2" && " ${stacks[*]} " != *" $of "* && ! -e $kept/stacks/$of ]] || continue
		found+=("$service")
	done
	printf '%s' "${found[*]}"
}
