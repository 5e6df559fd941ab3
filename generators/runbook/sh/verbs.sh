# The verbs of runbook.sh.

verb_list() {
	local id
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		if [[ $json == yes ]]; then
			step_json "$id"
		else
			printf '%s  %-20s %-18s %s\n' "$(number "$id")" "$id" "${groups[$id]#duty }" "${titles[$id]}"
		fi
	done
}

step_json() {
	local hosts=() host names=''
	hosts_of "$1"
	for host in "${hosts[@]}"; do names+=",$(quoted "$host")"; done
	printf '{"step":"%s","number":%d,"title":%s,"why":%s,"group":"%s","hosts":[%s],"order":"%s","needs":%s,"danger":%s,"undo":%s}\n' \
		"$1" "$(number "$1")" "$(quoted "${titles[$1]}")" "$(quoted "${whys[$1]}")" "${groups[$1]}" "${names#,}" \
		"${orders[$1]}" "$(quoted "${needed[$1]}")" "$(quoted "${dangers[$1]}")" "$(quoted "${undos[$1]}")"
}

verb_plan() {
	local id hosts=() count=0
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		if [[ $json == yes ]]; then
			step_json "$id"
			continue
		fi
		hosts_of "$id"
		((${#hosts[@]})) || continue
		count=$((count + 1))
		heading "$id"
		say "   why     ${whys[$id]}"
		say "   hosts   $(names "${hosts[@]}"), ${orders[$id]}"
		[[ -z ${needed[$id]} ]] || say "   after   ${needed[$id]}"
		[[ -z ${dangers[$id]} ]] || say "   DANGER  ${dangers[$id]}"
		say "   undo    ${undos[$id]}"
	done
	[[ $json == yes ]] || say "$count steps. Nothing was touched. See what is missing: ./runbook.sh run --dry-run"
}

# names HOST... : a few names, then a number.
names() {
	if (($# > 8)); then printf '%s and %d more' "${*:1:6}" $(($# - 6)); else printf '%s' "$*"; fi
}

verb_run() {
	if [[ $dry == yes ]]; then
		dry_run
		return
	fi
	open_state
	begin_work
	local id
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		if ! run_step "$id"; then
			remind
			stop_at "$id"
			exit 1
		fi
	done
	remind
	rm -f -- "$state"/certs/clients/*/first # told once
	[[ $json == yes ]] || say "done. Log: $state/log.jsonl"
}

# remind says what only a person can do: give a client its next pair. It is no failure, and is said until it is done.
# The notes of this run come first, and what expires soon last.
remind() {
	local line word
	tell_notes
	if [[ -d $state/certs ]]; then
		while IFS= read -r line; do
			# It names itself, and ran as the checked copy.
			show certificates operator 'HAND OVER' "${line//"$bundle/"/"$origin/"}"
		done < <(bash "$bundle/certs/generate-certificates.sh" --hand-over "$state/certs" 2>&1)
	fi
	for line in "$state"/vpn/clients/*/next; do
		[[ -e $line ]] || continue
		word=${line%/next}
		printf -v line 'VPN client %s: give %q to it, then: %q %q handed-over %s' "${word##*/}" "$line/client.conf" "$origin/vpn/vpn-client.sh" "$state/vpn" "${word##*/}"
		show vpn-authorities operator 'HAND OVER' "$line"
	done
	expiring
}

# expiring reads what the step certificate-watch saw last: dates stay true without asking a node.
expiring() {
	local file node host word rest end days what name left
	for file in "$state"/output/certificate-watch.*.log; do
		[[ -r $file ]] || continue
		node=${file%.log}
		node=${node##*/certificate-watch.}
		while read -r word rest; do
			host=$node
			case $word in
			expires)
				read -r end days what name <<<"$rest"
				# A client's date is on every manager.
				[[ $what != *-client ]] || host=operator
				[[ $end =~ ^[0-9]{1,12}$ && $days =~ ^[0-9]{1,5}$ ]] || continue
				left=$(((end - EPOCHSECONDS) / 86400))
				((left >= days)) || printf '%s EXPIRES %s %s: %d days left\n' "$host" "$what" "$name" "$left"
				;;
			unmeasured) printf '%s UNMEASURED %s\n' "$host" "$rest" ;;
			esac
		done < <(tr -d '\000' <"$file")
	done | sort -u | while read -r host word rest; do show certificate-watch "$host" "$word" "$rest"; done
}

# stop_at STEP says what to do next.
stop_at() {
	local host
	{
		printf '\nstopped at step %s (%s) on %s. What is done stays done.\n' "$1" "$(number "$1")" "${failed_hosts[*]}"
		for host in "${failed_hosts[@]}"; do say "  log:    $state/output/$1.$host.log"; done
		say "  resume: $(printf %q "$0") run --from $1$(flags)"
	} >&2
}

# flags prints the flags that a resumed run needs again.
flags() {
	local name
	[[ $transport == ssh ]] || printf ' --transport local'
	for name in "${wanted[@]}"; do
		[[ $name == operator && $transport == local ]] || printf ' --host %q' "$name"
	done
	for name in "${only[@]}"; do printf ' --only %q' "$name"; done
	for name in "${skip[@]}"; do printf ' --skip %q' "$name"; done
	[[ $state == "$origin.state" ]] || printf ' --state %q' "$state"
	[[ $yes == no ]] || printf ' --yes'
	[[ -z $to ]] || printf ' --to %q' "$to"
	[[ $images_directory == "${origin%/*}/images" ]] || printf ' --images %q' "$images_directory"
	[[ -z $ssh_config ]] || printf ' --ssh-config %q' "$ssh_config"
}

# dry_run asks each host once, for all its steps.
dry_run() {
	local id host hosts=() refused=0
	local -A plan=()
	begin_work
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		for host in "${hosts[@]}"; do plan[$host]+=" $id"; done
	done
	hosts=()
	for host in operator "${inventory[@]}"; do
		[[ -z ${plan[$host]:-} ]] || hosts+=("$host")
	done
	each "$parallel" ask_host '' "${hosts[@]}"
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		heading "$id"
		local -A alike=() alike_order=()
		local answers=()
		for host in "${hosts[@]}"; do forecast "$id" "$host" || refused=1; done
		tell "$id"
	done
	tell_notes
	[[ $json == yes ]] || say 'dry run: nothing was changed.'
	return "$refused"
}

# ask_host '' HOST checks all its steps; the answers are read when every host has been asked.
ask_host() {
	# shellcheck disable=SC2086 # a list of step names
	remote check "$2" "$work/$2.answers" ${plan[$2]} || true
}

# forecast STEP HOST shows what a dry run learned; returns 1 for a refusal. Equal answers of hosts become one line.
forecast() {
	local code='' line kept=() status answer
	if [[ -r $work/$2.answers ]]; then
		while IFS= read -r line; do
			if [[ $line == "@skep $1 "* ]]; then
				code=${line##* }
				break
			elif [[ $line == '@skep '* ]]; then
				kept=()
			else
				kept+=("$line")
			fi
		done <"$work/$2.answers"
	fi
	printf -v answer '%s\n' "${kept[@]}"
	[[ $answer != *'note: '* ]] || keep_notes "$1" "$2" "$answer"
	case ${code:-none} in
	0) status=ALREADY_DONE kept=() ;;
	10) status=PENDING ;;
	11) status=UNKNOWN ;;
	none) status=UNKNOWN kept=('no answer:' "${kept[@]}") ;;
	*) status=FAILED ;;
	esac
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

verb_status() {
	digest_of_bundle
	read_state
	local id host hosts=() status bad=0
	for id in "${steps[@]}"; do
		hosts_of "$id"
		heading "$id"
		for host in "${hosts[@]}"; do
			status=${remembered["$id $host"]:-PENDING}
			[[ -n ${selected[$id]:-} ]] || status=NOT_SELECTED
			[[ $status != FAILED ]] || bad=1
			show "$id" "$host" "$status" ''
		done
	done
	remind
	return "$bad"
}

verify_host() {
	local code=0 started=$EPOCHSECONDS
	one check "$1" "$2" || code=$?
	if ((code == 0)); then one verify "$1" "$2" || code=$?; fi
	if ((code)); then
		show "$1" "$2" FAILED "$(tail -n 15 "$state/output/$1.$2.log")"
		# All hosts are asked, so a difference does not stop the others.
		printf '1\n' >"$work/$1.$2.bad"
		return 0
	fi
	show "$1" "$2" DONE ''
	record "$1" "$2" ALREADY_DONE $((EPOCHSECONDS - started))
}

verb_verify() {
	open_state
	begin_work
	local id hosts=() bad
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		heading "$id"
		((${#hosts[@]} == 0)) || each "$parallel" verify_host "$id" "${hosts[@]}"
	done
	remind
	bad=("$work"/*.bad)
	[[ ! -e ${bad[0]} ]]
}

undo_host() {
	local code=0 started=$EPOCHSECONDS
	one undo "$1" "$2" || code=$?
	if ((code)); then
		host_failed "$1" "$2" undo "$code" "$started"
		return "$code"
	fi
	record "$1" "$2" UNDONE $((EPOCHSECONDS - started))
	show "$1" "$2" UNDONE ''
}

verb_undo() {
	local id hosts=() i
	if [[ $dry == no ]]; then
		open_state
		begin_work
	fi
	for ((i = ${#steps[@]} - 1; i >= 0; i--)); do
		id=${steps[i]}
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		((${#hosts[@]})) || continue
		heading "$id"
		say "   ${undos[$id]}"
		if [[ $dry == yes || ${undos[$id]} == irreversible:* || ${undos[$id]} == nothing:* ]]; then continue; fi
		ask "undo $id on $(names "${hosts[@]}")"
		each 1 undo_host "$id" "${hosts[@]}"
		if ! failed "$id" "${hosts[@]}"; then
			say >&2
			say "stopped while taking back $id on ${failed_hosts[*]}; go on with: $(printf %q "$0") undo --to $id$(flags)" >&2
			exit 1
		fi
	done
}
