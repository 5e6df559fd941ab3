# State and log of the runbook, JSON lines in the state directory. Fields, in this order, are a promise:
#
#   state.jsonl  {"time":"2026-01-31T12:00:00Z","run":"...","bundle":"<sha256 of MANIFEST>","step":"engine","host":"m1","status":"DONE","seconds":4}
#   log.jsonl    {"time":"...","run":"...","step":"engine","host":"m1","phase":"apply","exit":0,"text":"..."}
#
# status is one of ALREADY_DONE, DONE, FAILED, UNKNOWN, UNDONE; a host without a line is PENDING, a step or host outside
# the flags NOT_SELECTED. The last line of a step and host counts, and only lines of the current bundle do.
# exit is 0 good, 10 a change is needed, 11 cannot be known yet, 12 refused, 255 no connection, another: failed.
# output/STEP.HOST.log holds what the host printed last, as text. No value of a secret is in any of them.

run_id='' digest=''

# A line is written for each step of each host, so nothing on the way to it starts a program or a shell.

# tell_time sets now.
tell_time() { TZ=UTC printf -v now '%(%Y-%m-%dT%H:%M:%SZ)T' -1; }

# quote TEXT sets quoted to a JSON string. It hides no control character, and none of them reaches a terminal.
quote() {
	local text=$1 out='' i char
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	text=${text//$'\n'/\\n}
	text=${text//$'\t'/\\t}
	text=${text//$'\r'/\\r}
	if [[ $text == *[[:cntrl:]]* ]]; then
		for ((i = 0; i < ${#text}; i++)); do
			char=${text:i:1}
			if [[ $char == [[:cntrl:]] ]]; then printf -v char '\\u%04x' "'$char"; fi
			out+=$char
		done
		text=$out
	fi
	is_plain "$text" || text=$(plain <<<"$text")
	quoted="\"$text\""
}

# own_directory refuses to take over a directory that holds something else: its mode and what git sees of it change.
own_directory() {
	local entry
	[[ ! -e $state/lock ]] || return 0
	for entry in "$state"/* "$state"/.[!.]*; do
		case ${entry##*/} in
		state.jsonl | log.jsonl | output | secrets | certs | .gitignore | '*' | '.[!.]*') ;;
		*) die 3 "$state holds ${entry##*/}, so it is not a state directory; name a new one with --state" ;;
		esac
	done
}

# open_state makes the state directory and takes the lock.
open_state() {
	own_directory
	if ! mkdir -p "$state/output" 2>/dev/null; then die 4 "$state: not writable; choose another directory with --state"; fi
	chmod 0700 "$state"
	mkdir -p "$state/secrets"
	[[ -e $state/.gitignore ]] || printf '*\n' >"$state/.gitignore"
	command -v flock >/dev/null || die 4 'flock: not found; install util-linux'
	exec 9>>"$state/lock"
	take_lock
	printf '%s\n' "$$" >"$state/lock"
	digest_of_bundle
	local now log
	tell_time
	run_id=$now-$$
	for log in "$state/state.jsonl" "$state/log.jsonl"; do
		# A run killed in the middle of a line must not spoil the next one.
		if [[ -s $log && -n $(tail -c 1 "$log") ]]; then printf '\n' >>"$log"; fi
	done
}

# take_lock waits for the hosts that a killed run has left at work; a run that lives is not waited for.
take_lock() {
	local pid
	if flock -n 9; then return; fi
	pid=$(tail -n 1 "$state/lock")
	[[ -n $pid ]] || die 3 "another run holds $state/lock; wait for it"
	if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF runbook.sh; then
		die 3 "another run holds $state/lock; wait for it, or end process $pid"
	fi
	say 'runbook: a run that was killed has left hosts at work; waiting for them' >&2
	flock -w 120 9 || die 3 "after 120s something still holds $state/lock: see fuser $state/lock"
}

digest_of_bundle() {
	digest=$(sha256sum <"$bundle/MANIFEST")
	digest=${digest%% *}
}

# record STEP HOST STATUS SECONDS
record() {
	local line now
	tell_time
	line="{\"time\":\"$now\",\"run\":\"$run_id\",\"bundle\":\"$digest\",\"step\":\"$1\",\"host\":\"$2\",\"status\":\"$3\",\"seconds\":$4}"
	printf '%s\n' "$line" >>"$state/state.jsonl"
}

# log STEP HOST PHASE EXIT TEXT
log() {
	local now quoted
	tell_time
	quote "${5:0:20000}"
	printf '{"time":"%s","run":"%s","step":"%s","host":"%s","phase":"%s","exit":%d,"text":%s}\n' \
		"$now" "$run_id" "$1" "$2" "$3" "$4" "$quoted" >>"$state/log.jsonl"
}

declare -A remembered=()

# read_state fills remembered with the last status of each step and host of this bundle. The manager that stood for the
# swarm is the one that the steps of the first manager were done on.
read_state() {
	[[ -r $state/state.jsonl ]] || return 0
	local line pattern='"bundle":"'$digest'","step":"([^"]*)","host":"([^"]*)","status":"([A-Z_]*)"'
	while IFS= read -r line; do
		[[ $line =~ $pattern ]] || continue
		remembered["${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"]=${BASH_REMATCH[3]}
		if [[ ${groups[${BASH_REMATCH[1]}]:-} == 'first manager' ]]; then first_manager=${BASH_REMATCH[2]}; fi
	done <"$state/state.jsonl"
}

# keep_notes STEP HOST TEXT keeps the notes of what a host said, for the end of the run.
keep_notes() {
	local line
	while IFS= read -r line; do
		[[ $line != 'note: '* ]] || printf '%s\t%s\t%s\n' "$1" "$(say "${line#note: }")" "$2" >>"$work/notes"
	done <<<"$3"
}

# tell_notes says each note of this run once, with the hosts that it is about.
tell_notes() {
	local step text host last='' hosts=()
	[[ -n $work && -s $work/notes ]] || return 0
	while IFS=$'\t' read -r step text host; do
		if [[ -n $last && $last != "$step"$'\t'"$text" ]]; then tell_note "$last"; fi
		last=$step$'\t'$text
		hosts+=("$host")
	done < <(LC_ALL=C sort -u "$work/notes")
	tell_note "$last"
}

# tell_note STEP-TAB-TEXT shows one note about hosts, and empties that list.
tell_note() {
	if [[ $json == yes ]]; then
		for host in "${hosts[@]}"; do show "${1%%$'\t'*}" "$host" NOTE "${1#*$'\t'}"; done
	else
		show "${1%%$'\t'*}" "$(names "${hosts[@]}")" NOTE "${1#*$'\t'}"
	fi
	hosts=()
}

# show STEP HOST STATUS TEXT: one line for a reader, or one object for a program.
show() {
	local line first=yes text=$4 quoted
	if [[ $json == yes ]]; then
		quote "$text"
		printf '{"step":"%s","host":"%s","status":"%s","text":%s}\n' "$1" "$2" "$3" "$quoted"
		return
	fi
	is_plain "$text" || text=$(plain <<<"$text")
	while IFS= read -r line; do
		if [[ $first == yes ]]; then
			printf '   %-14s %-13s %s\n' "$2" "$3" "$line"
			first=no
		elif [[ -n $line ]]; then
			printf '   %-14s %-13s %s\n' '' '' "$line"
		fi
	done <<<"$text"
}
