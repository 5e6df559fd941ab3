# The verbs of runbook.sh.

verb_list() {
	local id
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		if [[ $json == yes ]]; then
			step_json "$id"
		else
			printf '%s  %-20s %-18s %s\n' "${numbers[$id]}" "$id" "${groups[$id]#duty }" "${titles[$id]}"
		fi
	done
}

step_json() {
	local hosts=() absent=() host names=''
	hosts_of "$1"
	for host in "${hosts[@]}"; do names+=",\"$host\""; done
	local text quoted values=()
	for text in "${titles[$1]}" "${whys[$1]}" "${needed[$1]}" "${dangers[$1]}" "${undos[$1]}"; do
		quote "$text"
		values+=("$quoted")
	done
	printf '{"step":"%s","number":%d,"title":%s,"why":%s,"group":"%s","hosts":[%s],"order":"%s","needs":%s,"danger":%s,"undo":%s}\n' \
		"$1" "${numbers[$1]}" "${values[0]}" "${values[1]}" "${groups[$1]}" "${names#,}" "${orders[$1]}" "${values[@]:2}"
}

verb_plan() {
	local id hosts=() absent=() count=0
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
	survey
	refusals || exit 1
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
	open_list
	((${#silent[@]} + ${#left_open[@]} == 0)) || exit 1
	[[ $json == yes ]] || say "done${except:+, without ${except[*]}}. Log: $state/log.jsonl"
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
		printf '\nstopped at step %s (%s) on %s. What is done stays done.\n' "$1" "${numbers[$1]}" "${failed_hosts[*]}"
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
	for name in "${except[@]}"; do printf ' --except %q' "$name"; done
	[[ $yes == no ]] || printf ' --yes'
	[[ -z $planned ]] || printf ' --planned %s' "$planned"
	[[ -z $to ]] || printf ' --to %q' "$to"
	[[ $images_directory == "${origin%/*}/images" ]] || printf ' --images %q' "$images_directory"
	[[ $packages_directory == "${origin%/*}/packages" ]] || printf ' --packages %q' "$packages_directory"
	[[ -z $ssh_config ]] || printf ' --ssh-config %q' "$ssh_config"
}

verb_status() {
	digest_of_bundle
	read_state
	local id host hosts=() absent=() status bad=0
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
	case $code in
	14) host_open "$1" "$2" ;;
	255) cp -- "$state/output/$1.$2.log" "$work/$2.silent" ;;
	esac
	if ((code == 14 || code == 255)); then return 0; fi
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
	local id hosts=() absent=() bad ok=0 drift=0 unknown=0
	roll_call
	for id in "${steps[@]}"; do
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		heading "$id"
		skipped "$id"
		if ((${#hosts[@]})); then
			each "$parallel" verify_host "$id" "${hosts[@]}"
			gather "$id" "${hosts[@]}"
		fi
		count "$id"
	done
	remind
	open_list
	[[ $json == no ]] || printf '{"event":"summary","ok":%d,"drift":%d,"unknown":%d}\n' "$ok" "$drift" "$unknown"
	bad=("$work"/*.bad)
	[[ ! -e ${bad[0]} ]] && ((${#silent[@]} + ${#left_open[@]} == 0))
}

# count STEP adds what verify has learned of the step's hosts.
count() {
	local host
	unknown=$((unknown + ${#absent[@]}))
	for host in "${hosts[@]}"; do
		if [[ -e $work/$1.$host.bad ]]; then
			drift=$((drift + 1))
		elif [[ -n ${silent[$host]:-}${left_open["$1 on $host"]:-} ]]; then
			unknown=$((unknown + 1))
		else
			ok=$((ok + 1))
		fi
	done
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
	local id hosts=() absent=() i
	if [[ $dry == no ]]; then
		open_state
		begin_work
		roll_call "${inventory[@]}"
	fi
	for ((i = ${#steps[@]} - 1; i >= 0; i--)); do
		id=${steps[i]}
		[[ -n ${selected[$id]:-} ]] || continue
		hosts_of "$id"
		heading "$id"
		skipped "$id"
		((${#hosts[@]})) || continue
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
	open_list
	((${#silent[@]} == 0))
}
