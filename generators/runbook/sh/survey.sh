# Before anything is changed every host is asked for all its steps. Who does not answer is told once and left out; what a
# step would refuse stops the run here, not when half of the steps are done.

# The hosts that do not answer; why a step was left open, by step and host; and which steps the survey asks of a host.
declare -A silent=() left_open=() plan=()
touched=no # whether this run has begun to change something

# roll_call HOST... calls these hosts, and the managers where one is needed; and finds the manager that stands for the
# swarm: the first one that is in it, or else the first one that answers.
# shellcheck disable=SC2120 # a survey calls everybody by itself
roll_call() {
	local name managers=() called=() answer answering=''
	[[ $transport == ssh ]] || return 0
	for name in "${inventory[@]}"; do
		if [[ ${inventory_role[$name]} == manager && -z ${excepted[$name]:-} ]]; then managers+=("$name"); fi
		if is_wanted "$name" && [[ " ${managers[*]} $* " == *" $name "* ]]; then called+=("$name"); fi
	done
	# Where only workers are selected, no manager is needed.
	((${#called[@]})) || return 0
	for name in "${managers[@]}"; do
		is_wanted "$name" || called+=("$name")
	done
	each "$parallel" call '' "${called[@]}"
	lose_silent "${called[@]}"
	for name in "${managers[@]}"; do
		[[ -z ${silent[$name]:-} && -e $work/$name.said ]] || continue
		answering=${answering:-$name}
		answer=$(tail -n 1 "$work/$name.said" 2>/dev/null) || answer=''
		if [[ $answer == 'active true' ]]; then
			first_manager=$name
			return
		fi
	done
	first_manager=${answering:-$first_manager}
}

# call '' HOST
call() {
	local code=0
	printf '%s\n' "docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}' 2>/dev/null || true" |
		shell_on "$2" >"$work/$2.said" 2>&1 || code=$?
	((code != 255)) || mv -f -- "$work/$2.said" "$work/$2.silent"
}

# lose_silent HOST... takes those that did not answer out of what comes, and says so once.
lose_silent() {
	local name text
	no_stranger "$@"
	for name; do
		[[ -e $work/$name.silent && -z ${silent[$name]:-} ]] || continue
		silent[$name]=1
		text=$(last_line "$work/$name.silent")
		show '' "$name" SILENT "${text:-no answer}"
		[[ $json == yes ]] || hint "$work/$name.silent"
	done
}

# no_stranger HOST... refuses to go on when somebody answers for a node with a key that is not in the spec.
no_stranger() {
	local name strangers=()
	[[ -e $bundle/runbook/known_hosts ]] || return 0
	for name; do
		[[ -e $work/$name.silent && $(<"$work/$name.silent") == *'Host key verification failed'* ]] || continue
		strangers+=("$name")
	done
	((${#strangers[@]} == 0)) || die 3 "ssh.hostKeys of $(names "${strangers[@]}"): another key answers there; if the node was made anew, read the new key on its console, correct the spec and build; else somebody stands between"
}

last_line() { plain <"$1" | grep -v '^$' | tail -n 1 || true; }

hinted=no

# hint FILE: a port that is new in the spec is closed by the firewall that is in force.
hint() {
	[[ $hinted == no && $(<"$1") == *'timed out'* ]] || return 0
	hinted=yes
	say "                                a new nodes.*.ssh.port? The firewall in force closes it: see \"Change a node's ssh port\" in README.md"
}

# survey asks each host once, for all its steps.
survey() {
	local id host hosts=() absent=()
	plan=()
	roll_call
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		for host in "${hosts[@]}"; do plan[$host]+=" $id"; done
	done
	hosts=()
	for host in operator "${inventory[@]}"; do
		[[ -z ${plan[$host]:-} ]] || hosts+=("$host")
	done
	if ((${#hosts[@]} == 0 && ${#silent[@]} == 0)); then die 2 'nothing to do: no step that you selected has a host that you selected'; fi
	each "$parallel" ask_host '' "${hosts[@]}"
	lose_silent "${hosts[@]}"
}

# ask_host '' HOST checks all its steps; the answers are read when every host has been asked.
ask_host() {
	local code=0
	# shellcheck disable=SC2086 # a list of step names
	remote check "$2" "$work/$2.answers" ${plan[$2]} || code=$?
	((code != 255)) || mv -f -- "$work/$2.answers" "$work/$2.silent"
}

# answer_of STEP HOST sets code and kept to what the survey learned.
answer_of() {
	local line
	code=none kept=()
	while IFS= read -r line; do
		if [[ $line == "@skep $1 "* ]]; then
			code=${line##* }
			break
		elif [[ $line == '@skep '* ]]; then
			kept=()
		elif [[ $line != '@clock '* ]]; then
			kept+=("$line")
		fi
	done <"$work/$2.answers"
	[[ $code =~ ^[0-9]{1,3}$ ]] || code=none
}

# keep_answer STEP HOST: the output of a check, as "one" keeps it.
keep_answer() {
	local text
	printf -v text '%s\n' "${kept[@]}"
	text=${text//"$bundle/"/"$origin/"}
	[[ $text != *'note: '* ]] || keep_notes "$1" "$2" "$text"
	log "$1" "$2" check "${code/none/4}" "$text"
	say "$text" >"$state/output/$1.$2.log"
}

# done_before STEP: the survey found it done on all its hosts, and nothing was changed since. So a run with nothing to do asks
# each host once.
done_before() {
	local host code kept=() told
	[[ $touched == no ]] || return 1
	for host in "${hosts[@]}"; do
		answer_of "$1" "$host"
		[[ $code == 0 ]] || return 1
	done
	for host in "${hosts[@]}"; do
		answer_of "$1" "$host"
		keep_answer "$1" "$host"
		record "$1" "$host" ALREADY_DONE 0
		told=''
		[[ ${kept[*]} != *'note: '* ]] || told=$(notes "$1" "$host")
		show "$1" "$host" ALREADY_DONE "$told"
	done
}

# refusals tells all that would stop the run later, and returns 1 when there is something.
refusals() {
	local id host code kept=() hosts=() absent=() stops=() told
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		failed_hosts=() told=no
		for host in "${hosts[@]}"; do
			answer_of "$id" "$host"
			case $code in 0 | 10 | 11 | 13 | 14) continue ;; esac
			if [[ $told == no ]]; then heading "$id"; fi
			told=yes
			keep_answer "$id" "$host"
			host_failed "$id" "$host" check "${code/none/4}" "$EPOCHSECONDS"
			failed_hosts+=("$host")
		done
		side_by_side "$id"
		((${#failed_hosts[@]} == 0)) || stops+=("$id ${failed_hosts[*]}")
	done
	((${#stops[@]})) || return 0
	stop_before "${stops[@]}"
	return 1
}

# stop_before "STEP HOST..."... says what to do next when nothing was changed.
stop_before() {
	local row id host words=()
	{
		say
		for row; do
			read -r -a words <<<"$row"
			id=${words[0]}
			say "stopped at step $id (${numbers[$id]}) on ${words[*]:1}, before anything was changed."
			for host in "${words[@]:1}"; do say "  log:    $state/output/$id.$host.log"; done
		done
		say "  resume: $(printf %q "$0") run$(flags)"
	} >&2
}

# compared STEP prints what a step finds in the answers of all its hosts side by side: "stop HOST TEXT" or "note HOST TEXT".
compared() {
	# shellcheck source=/dev/null
	source /dev/stdin <<<"${texts[$1]}"
	compare_hosts
}

# side_by_side STEP shows that, and leaves in failed_hosts those that stop the run.
side_by_side() {
	local level host text
	has_function compare_hosts "$1" || return 0
	while read -r level host text; do
		if [[ $level == note ]]; then
			printf '%s\t%s\t%s\n' "$1" "$text" "$host" >>"$work/notes"
		else
			show "$1" "$host" FAILED "$text"
			failed_hosts+=("$host")
		fi
	done < <(compared "$1")
}

# forecast STEP HOST shows what a dry run learned; returns 1 for a refusal. Equal answers of hosts become one line.
forecast() {
	local code kept=() status answer
	answer_of "$1" "$2"
	printf -v answer '%s\n' "${kept[@]}"
	[[ $answer != *'note: '* ]] || keep_notes "$1" "$2" "$answer"
	case $code in
	0) status=ALREADY_DONE kept=() ;;
	10) status=PENDING ;;
	11) status=UNKNOWN ;;
	14) status=OPEN ;;
	*) status=FAILED ;;
	esac
	[[ $status == ALREADY_DONE ]] || would_change=yes
	printf -v answer '%s\n' "$status" "${kept[@]}"
	alike[$answer]+=" $2"
	[[ -n ${alike_order[$answer]:-} ]] || answers+=("$answer")
	alike_order[$answer]=1
	[[ $status != FAILED ]]
}

# tell STEP shows the answers that forecast put together.
tell() {
	local answer hosts=() host text
	for answer in "${answers[@]}"; do
		read -r -a hosts <<<"${alike[$answer]}"
		text=${answer#*$'\n'}
		if [[ $json == yes ]]; then
			for host in "${hosts[@]}"; do show "$1" "$host" "${answer%%$'\n'*}" "${text%$'\n'}"; done
		elif ((${#hosts[@]} == 1)); then
			show "$1" "${hosts[0]}" "${answer%%$'\n'*}" "${text%$'\n'}"
		else
			show "$1" "${#hosts[@]} hosts" "${answer%%$'\n'*}" "$(names "${hosts[@]}")"$'\n'"${text%$'\n'}"
		fi
	done
}

# dry_run tells of every step what a run would do, and changes nothing.
dry_run() {
	local id host hosts=() absent=() refused=0 would_change=no
	begin_work
	survey
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		heading "$id"
		skipped "$id"
		local -A alike=() alike_order=()
		local answers=()
		for host in "${hosts[@]}"; do forecast "$id" "$host" || refused=1; done
		tell "$id"
		failed_hosts=()
		side_by_side "$id"
		((${#failed_hosts[@]} == 0)) || refused=1
	done
	tell_notes
	[[ $json == yes ]] || say 'dry run: nothing was changed.'
	((${#silent[@]} == 0)) || refused=1
	open_list
	if [[ $refused == 0 && $detailed == yes && $would_change == yes ]]; then return 5; fi
	return "$refused"
}

# skipped STEP says why a step has no host.
skipped() {
	((${#hosts[@]} == 0)) || return 0
	if ((${#absent[@]})); then
		show "$1" - SKIPPED "no answer from $(names "${absent[@]}")"
	else
		show "$1" - SKIPPED 'none of its hosts is selected'
	fi
}

# open_list says on stderr what is open, and how to go on.
open_list() {
	local name id hosts=() absent=() row
	local -A missed=() alike=()
	((${#silent[@]} + ${#left_open[@]})) || return 0
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		for name in "${absent[@]}"; do missed[$name]+=" $id"; done
	done
	for name in "${inventory[@]}"; do
		[[ -z ${silent[$name]:-} ]] || alike[${missed[$name]:- none}]+=" $name"
	done
	{
		say
		for row in "${!alike[@]}"; do
			read -r -a hosts <<<"${alike[$row]}"
			say "open: no answer from $(names "${hosts[@]}"); steps left out there:$row"
		done | LC_ALL=C sort
		for row in "${!left_open[@]}"; do say "open: $row: ${left_open[$row]}"; done | LC_ALL=C sort
		say "  when that is settled: $(printf %q "$0") $verb$(flags)"
	} >&2
}
