# Deploys a stack and waits until every service runs as wanted.

readonly stack=$argument record=/var/lib/skep/stacks/$argument
readonly deadline=600 poll_seconds=2

files() { printf '%s\n' "${listed[@]}" | grep "^stacks/$stack/"; }

# wanted is the digest of the stack's files.
wanted() {
	local path
	for path in "${!digest[@]}"; do printf '%s %s\n' "$path" "${digest[$path]}"; done | sort | sha256sum | cut -d ' ' -f 1
}

ids() { docker service ls --quiet --filter "label=com.docker.stack.namespace=$stack"; }

# deployed is the digest of what the swarm was told: somebody may have changed a service by hand.
deployed() { ids | sort | xargs --no-run-if-empty docker service inspect --format '{{json .Spec}}' | sha256sum | cut -d ' ' -f 1; }

check() {
	need_swarm
	[[ -n $(ids) ]] || {
		would "deploy the stack $stack"
		return
	}
	[[ -f $record && $(<"$record") == "$(wanted) $(deployed)" ]] || would "deploy the stack $stack again: its files, or the services, have changed"
	unsettled || would "wait for the stack $stack: $trouble"
}

# unsettled returns 0 when nothing is unsettled; otherwise trouble says what is.
unsettled() {
	local name replicas running want state_of
	trouble=''
	[[ -n $(ids) ]] || trouble='it has no services; '
	while read -r name replicas _; do
		running=${replicas%%/*} want=${replicas##*/}
		if [[ $running != "$want" ]]; then trouble+="$name has $replicas; "; fi
		if [[ $want == 0 ]]; then trouble+="no node matches the placement of $name; "; fi
	done < <(docker service ls --filter "label=com.docker.stack.namespace=$stack" --format '{{.Name}} {{.Replicas}}')
	while IFS='|' read -r name state_of; do
		case $state_of in
		'' | completed) ;;
		*) trouble+="the update of $name is $state_of; " ;;
		esac
	done < <(ids | xargs --no-run-if-empty docker service inspect --format '{{.Spec.Name}}|{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}')
	[[ -z $trouble ]]
}

apply() {
	local options=(--prune --with-registry-auth --resolve-image never)
	if docker stack deploy --help | grep -- --detach >/dev/null; then options+=(--detach=true); fi
	if [[ -z $(ids) || ! -f $record || $(<"$record") != "$(wanted) $(deployed)" ]]; then
		mkdir -p "$(dirname "$record")"
		rm -f -- "$record"
		docker stack deploy "${options[@]}" --compose-file "$kept/bundle/stacks/$stack/compose.yaml" "$stack"
	fi
	converge
	sweep
	printf '%s %s\n' "$(wanted)" "$(deployed)" >"$record"
}

# converge waits for the services. A service must look well twice: one that dies at once looks well for a moment.
converge() {
	local until=$((SECONDS + deadline)) well=0 trouble=''
	while ((well < 2)); do
		if unsettled; then
			well=$((well + 1))
		else
			well=0
			if [[ $trouble == *rollback* || $trouble == *paused* ]]; then
				causes
				refuse "${trouble%; }" 'the swarm gave up this update and may have brought the old tasks back; mend the cause, then run again'
			fi
			if ((SECONDS >= until)); then
				causes
				refuse "after ${deadline}s ${trouble%; }" "docker service ps shows more; mend the cause, then run again"
			fi
		fi
		sleep "$poll_seconds"
	done
}

# causes prints what the tasks complain about.
causes() {
	docker stack ps --no-trunc --format '{{.Name}} on {{.Node}}: {{.DesiredState}}, {{.CurrentState}} {{.Error}}' "$stack" |
		grep -v ': Running, Running' | head -n 12 || true
}

# sweep removes the stack's older configs, but for those that "docker service rollback" would want: they stay one
# generation, until the deploy after this one.
sweep() {
	local name used
	used=$(ids | xargs --no-run-if-empty docker service inspect --format '{{range .Spec.TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}} {{end}}{{with .PreviousSpec}}{{range .TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}} {{end}}{{end}}')
	while IFS= read -r name; do
		if [[ -n $name && " ${used//$'\n'/ } " != *" $name "* ]]; then
			if docker config rm "$name" >/dev/null; then say "removed the old config $name"; fi
		fi
	done < <(docker config ls --filter "label=com.docker.stack.namespace=$stack" --format '{{.Name}}')
}

verify() {
	unsettled || refuse "${trouble%; }"
}

undo() {
	is_manager || return 0
	docker stack rm "$stack"
	rm -f -- "$record"
	wait_for 120 'the tasks to go' tasks_gone
}

tasks_gone() { [[ -z $(ids) ]] && ! docker stack ps --quiet "$stack" 2>/dev/null | grep . >/dev/null; }
