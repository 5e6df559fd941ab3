# Deploys a stack, or leaves that to an agent, and waits until every service runs as wanted.

readonly stack=$argument record=/var/lib/skep/stacks/$argument
readonly deadline=600 poll_seconds=2
readonly deaths_enough=4 deaths_after=60 # a task may miss another one while all begin

files() { printf '%s\n' "${listed[@]}" | grep "^stacks/$stack/"; }

# wanted is the digest of the stack's files, and of what it keeps.
wanted() {
	local path
	{
		for path in "${!digest[@]}"; do printf '%s %s\n' "$path" "${digest[$path]}"; done | sort
		stays
	} | sha256sum | cut -d ' ' -f 1
}

# stays prints "service network" for each network that the spec no longer names, where Traefik and services of others are: it
# leaves when they have.
stays() {
	local network all=''
	[[ $stack == traefik ]] || return 0
	while IFS= read -r network; do
		[[ -n $all ]] || all=$(uses)
		[[ -n $(others network "$network" <<<"$all") ]] || continue
		sed -n "s/^\([^ ]*\) $stack network $network$/\1 $network/p" <<<"$all"
	done < <(former_networks) | sort
}

# staying prints them as a file for docker stack deploy to merge with compose.yaml, or nothing. It is one update that way.
staying() {
	local rows service network names=()
	rows=$(stays)
	[[ -n $rows ]] || return 0
	mapfile -t names < <(cut -d ' ' -f 2 <<<"$rows" | sort -u)
	grep '^version: ' "$kept/bundle/stacks/$stack/compose.yaml"
	printf 'services:\n'
	while IFS= read -r service; do
		printf '  "%s":\n    networks:\n' "${service#"${stack}_"}"
		sed -n "s/^$service \(.*\)/      - \"\1\"/p" <<<"$rows"
	done < <(cut -d ' ' -f 1 <<<"$rows" | sort -u)
	printf 'networks:\n'
	printf '  "%s":\n    external: true\n' "${names[@]}"
}

# tell_stays says why a service is where the spec does not have it.
tell_stays() {
	local service network all
	all=$(stays)
	[[ -n $all ]] || return 0
	while read -r service network; do
		note "$service stays on the network $network too, until these have left it: $(uses | others network "$network")"
	done <<<"$all"
}

ids() { docker service ls --quiet --filter "label=com.docker.stack.namespace=$stack"; }

# deployed is the digest of what the swarm was told: somebody may have changed a service by hand.
deployed() { ids | sort | xargs --no-run-if-empty docker service inspect --format '{{json .Spec}}' | sha256sum | cut -d ' ' -f 1; }

# prepare hands over which stacks the operator wants to take over, and what the stack file says of modes.
prepare() {
	given adopted "${adopted[*]}"
	given modes "$(modes_of "$bundle/stacks/$stack/compose.yaml")"
}

# modes_of FILE prints "SERVICE MODE" for each service of a stack file of the bundle, which has its keys in one form.
modes_of() {
	awk '
	/^[^ #]/ { services = $1 == "services:" }
	! services { next }
	/^  [^ #]/ { name = $1; gsub(/[":\047]/, "", name); mode[name] = "replicated" }
	/^    [^ #]/ { deploy = $1 == "deploy:" }
	/^      mode: / && deploy { mode[name] = $2 }
	END { for (name in mode) print name, mode[name] }' "$1" | sort
}

# services prints "NAME|MODE|REPLICAS" for each service of the stack; a job has "replicated job" and "0/1 (1/1 completed)" there.
services() { docker service ls --filter "label=com.docker.stack.namespace=$stack" --format '{{.Name}}|{{.Mode}}|{{.Replicas}}'; }

# turned prints the services that are to have another mode. Docker changes it for none that is there.
turned() {
	local name mode want
	while IFS='|' read -r name mode _; do
		want=$(awk -v name="${name#"${stack}_"}" '$1 == name { print $2 }' <<<"$modes")
		[[ -z $want || $want == "${mode/ /-}" ]] || printf '%s\n' "$name"
	done < <(services)
}

# theirs: a stack of this name is in the swarm, and no runbook of this cluster deployed it.
theirs() { [[ ! -f $record && " ${users[*]} " == *" $stack "* && " $adopted " != *" $stack "* && -n $(ids) ]]; }

# need_foreign refuses when the swarm lacks a network, a config or a secret that somebody else makes.
need_foreign() {
	local row of kind name step way
	for row in "${foreign[@]}"; do
		read -r of kind name step <<<"$row"
		way='make it, then run again'
		[[ $step == - ]] || way="the step $step makes it"
		[[ $of != "$stack" ]] || docker "$kind" inspect "$name" >/dev/null 2>&1 ||
			refuse_in_turn "the swarm has no $kind $name, which the stack $stack expects there" "$way"
	done
}

# need_same refuses when a network that the stack makes is there with other settings: the deploy would leave it as it is.
need_same() {
	local row of name settings other ways
	for row in "${made[@]}"; do
		read -r of name settings <<<"$row"
		[[ $of == "$stack" ]] || continue
		docker network inspect "$name" >/dev/null 2>&1 || continue
		# shellcheck disable=SC2086 # words of a row
		differs "$name" $settings || continue
		ways="--only stack-$stack"
		for other in "${foreign[@]}"; do
			[[ $other != *" network $name "* ]] || ways+=" --only stack-${other%% *}"
		done
		refuse "the network $name of the stack $stack is to have other settings, and Docker changes none that is there" "${differing[@]}" \
			"way out: give it another name in the Compose file; or runbook.sh undo $ways, which removes the services and no volume, then run again"
	done
}

check() {
	local name
	need_swarm
	if [[ -z $agent ]] && theirs; then
		refuse "the swarm has a stack $stack already, and this runbook did not deploy it" \
			"to have the spec's in its place: runbook.sh run --adopt $stack; its volumes stay. Or give the spec's another name"
	fi
	need_foreign
	need_same
	if [[ -n $agent ]]; then
		unsettled || would "wait until $agent has deployed the stack $stack: ${trouble%; }"
		return
	fi
	tell_stays
	[[ -n $(ids) ]] || {
		would "deploy the stack $stack"
		return
	}
	[[ -f $record && $(<"$record") == "$(wanted) $(deployed)" ]] || would "deploy the stack $stack again: its files, or the services, have changed"
	while IFS= read -r name; do
		would "remove the service $name and make it anew: Docker does not change the mode of one that is there"
	done < <(turned)
	unsettled || would "wait for the stack $stack: $trouble"
	[[ -z $excuses ]] || note "${excuses%; }"
}

# unsettled returns 0 when nothing is unsettled; otherwise trouble says what is.
unsettled() {
	local mode name replicas running want state_of
	trouble='' excuses=''
	[[ -n $(ids) ]] || trouble='it has no services; '
	while IFS='|' read -r name mode replicas; do
		if [[ $mode == *' job' ]]; then
			unfinished "$name" "${replicas#* }"
			continue
		fi
		replicas=${replicas%% *}
		running=${replicas%%/*} want=${replicas##*/}
		if [[ $running != "$want" || $want == 0 ]] && excused "$name" "$running" "$want"; then
			excuses+="$name has $replicas tasks while a node is down; "
			continue
		fi
		if [[ $running != "$want" ]]; then trouble+="$name has $replicas; "; fi
		if [[ $want == 0 && $mode == global ]]; then trouble+="no node matches the placement of $name; "; fi
	done < <(services)
	while IFS='|' read -r name state_of; do
		case $state_of in
		'' | completed) ;;
		*) trouble+="the update of $name is $state_of; " ;;
		esac
	done < <(ids | xargs --no-run-if-empty docker service inspect --format '{{.Spec.Name}}|{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}')
	[[ -z $trouble ]]
}

# unfinished NAME "(1/3 completed)": a job is well when all of it is done, and has no tasks then.
unfinished() {
	local count=${2#(}
	count=${count%% *}
	[[ -n $count && ${count%%/*} == "${count##*/}" ]] || trouble+="$1 has completed ${count:-nothing}; "
}

# excused NAME RUNNING WANT: a node is down, and the service has all that the others can give it. The tasks of a dead node
# count as running for a while.
excused() {
	docker node ls --format '{{.Status}}' | grep -x Down >/dev/null || return 1
	(($2 >= $3)) || ! docker service ps --filter desired-state=running --format '{{.CurrentState}} {{.Error}}' "$1" |
		grep -v -e '^Running ' -e 'no suitable node' >/dev/null
}

apply() {
	local options=("${deploy_options[@]}") more=$kept/staying.yaml name
	bury
	if [[ -n $agent ]]; then
		converge
		return
	fi
	if docker stack deploy --help | grep -- --detach >/dev/null; then options+=(--detach=true); fi
	if [[ -z $(ids) || ! -f $record || $(<"$record") != "$(wanted) $(deployed)" ]]; then
		mkdir -p "$(dirname "$record")"
		# Empty, until it has converged: what this runbook began is its own, also when the update fails.
		: >"$record"
		options+=(--compose-file "$kept/bundle/stacks/$stack/compose.yaml")
		staying >"$more"
		[[ ! -s $more ]] || options+=(--compose-file "$more")
		while IFS= read -r name; do docker service rm "$name" >/dev/null; done < <(turned)
		docker stack deploy "${options[@]}" "$stack"
		rm -f -- "$more"
	fi
	converge
	sweep
	printf '%s %s\n' "$(wanted)" "$(deployed)" >"$record"
}

# converge waits for the services. A service must look well twice: one that dies at once looks well for a moment.
converge() {
	local since=$SECONDS tell_at=$((SECONDS + 10)) well=0 trouble=''
	while ((well < 2)); do
		if unsettled; then
			well=$((well + 1))
		else
			well=0
			if [[ $trouble == *rollback* || $trouble == *paused* ]]; then
				causes
				refuse "${trouble%; }" 'the update was paused or rolled back; fix the cause, then run again'
			fi
			dying
			if ((SECONDS >= since + deadline)); then
				causes
				refuse "after ${deadline}s ${trouble%; }" "docker service ps shows more; fix the cause, then run again"
			fi
			waiting "the stack $stack: ${trouble%; }"
		fi
		sleep "$poll_seconds"
	done
}

# What has died, and how often in each place: swarm itself remembers only the last few.
declare -A dead=() deaths=()

# fallen prints "ID|NAME.PLACE|ERROR" for each task that failed, or that a node refused.
fallen() {
	docker stack ps --no-trunc --format '{{.ID}}|{{.Name}}|{{.CurrentState}}|{{.Error}}' "$stack" 2>/dev/null |
		sed -nE 's/^([^|]*\|[^|]*\|)(Failed|Rejected) [^|]*\|/\1/p' || true
}

# bury takes those that died before the deploy out of the count.
bury() {
	local id
	while IFS='|' read -r id _; do dead[$id]=yes; done < <(fallen)
}

# dying refuses when the task of one place has died again and again since then.
dying() {
	local id place error times
	while IFS='|' read -r id place error; do
		[[ -z ${dead[$id]:-} ]] || continue
		dead[$id]=yes
		times=$((${deaths[$place]:-0} + 1))
		deaths[$place]=$times
		if ((times >= deaths_enough && SECONDS >= since + deaths_after)); then
			refuse "${place%.*} keeps dying, $times times by now: ${error:-without an error}" "$(way_out "$error" "${place%.*}")"
		fi
	done < <(fallen)
}

# way_out ERROR SERVICE. An engine that started anew may find the overlay of the one before it: moby/libnetwork#1765, open since 2017.
way_out() {
	if [[ $1 == *'vxlan interface: file exists'* ]]; then
		echo 'an old fault of the engine: on that node systemctl stop docker, umount /run/docker/netns/*, systemctl start docker; or reboot it; then run again'
	else
		echo "docker service logs $2 shows its own words; fix the cause, then run again"
	fi
}

# causes prints what the tasks complain about; the place of a task is a node's ID where each node has one.
causes() {
	docker stack ps --no-trunc --format '{{.Name}} on {{.Node}}: {{.DesiredState}}, {{.CurrentState}} {{.Error}}' "$stack" |
		sed 's/\.[a-z0-9]\{25\} on / on /' | grep -v ': Running, Running' | head -n 12 || true
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
	[[ -z $agent ]] || note "$agent deploys the stack $stack again, unless it was stopped"
	docker stack rm "$stack"
	rm -f -- "$record"
	wait_for 120 'the tasks to go' tasks_gone
}

tasks_gone() { [[ -z $(ids) ]] && ! docker stack ps --quiet "$stack" 2>/dev/null | grep . >/dev/null; }
