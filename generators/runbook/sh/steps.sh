# Running steps: all hosts are checked, then those that need it are changed and verified.

work='' failed_hosts=() wiping='' hearing=''

# The code of a host that did not answer a check; ssh's own would be a failure.
readonly gone=15

# bash 5.2 reads a trap that comes while it expands $(...) as a part of that, and ends with 2 where no bracket closes it. The first
# line never returns, so that nobody else meets the second one.
readonly on_signal=$'interrupted\n)'

begin_work() {
	work=$private/work
	mkdir -- "$work"
	trap end_work EXIT
	# shellcheck disable=SC2064 # it is to be expanded now
	trap "$on_signal" INT TERM HUP
	open_sockets
	read_programs
	# No job of this shell: bash may say that it has no record of one that it was told to forget.
	hearing=$(
		hear "$$" 9>&- >/dev/null &
		printf '%s' "$!"
	)
	if [[ -t 2 && $json == no && ${TERM:-dumb} != dumb ]]; then wiping=$'\r\033[K'; fi
}

# interrupted lets the hosts that are at work finish: half a change is worse than a late end.
interrupted() {
	trap '' INT TERM HUP
	printf '\nrunbook: interrupted; waiting for the hosts at work\n' >&2
	wait
	exit 130
}

# hear says, as long as this process lives, what the hosts at work wait for: lines that begin with "wait: ".
hear() {
	local file line host
	local -A heard=()
	trap - EXIT INT TERM HUP
	while sleep 5 >/dev/null 2>&1 && kill -0 "$1" 2>/dev/null; do
		for file in "$state"/output/*.new; do
			line=$({ grep -a '^wait: ' "$file" | tail -n 1; } 2>/dev/null) || continue
			[[ $line != "${heard[$file]:-}" ]] || continue
			heard[$file]=$line
			host=${file%.log.new}
			printf '%s   %-14s %-13s %s\n' "$wiping" "${host##*.}" WAITING "$(plain <<<"${line#wait: }")" >&2
		done
	done
}

end_work() {
	kill "$hearing" 2>/dev/null || true
	close_sockets
	rm -rf -- "$private"
}

# one PHASE STEP HOST: runs a phase on a host; the exit code is that of the step.
one() {
	local output=$state/output/$2.$3.log code=0 line last='' text=''
	remote "$1" "$3" "$output.new" "$2" || code=$?
	while IFS= read -r line || [[ -n $line ]]; do
		case $line in
		"@skep $2 "*) last=$line ;;
		'@skep '* | '@clock '* | 'wait: '*) ;;
		*) text+=$line$'\n' ;;
		esac
	done <"$output.new"
	if [[ -n $last ]]; then
		code=${last##* }
		[[ $code =~ ^[0-9]{1,3}$ ]] || code=4
	elif ((code == 0)); then
		code=4
	fi
	text=${text%"${text##*[!$'\n']}"}   # no empty lines at the end
	text=${text//"$bundle/"/"$origin/"} # programs name themselves, and ran as the checked copy
	[[ $text != *'note: '* ]] || keep_notes "$2" "$3" "$text"
	log "$2" "$3" "$1" "$code" "$text"
	say "$text" >"$output.new"
	mv -f -- "$output.new" "$output"
	return "$code"
}

# each LIMIT FUNCTION STEP HOST...: FUNCTION STEP HOST for all hosts, LIMIT at a time; prints their output in order of
# the hosts; leaves each exit code in $work/HOST.code. After a failure no further host is begun.
each() {
	local limit=$1 function=$2 step=$3 host shown=0 since=$SECONDS
	shift 3
	local list=("$@") begun=()
	rm -f -- "$work"/*.code "$work"/*.out
	for host in "${list[@]}"; do
		await "$limit"
		flush
		if failure_among "${list[@]:0:shown}"; then break; fi
		job "$function" "$step" "$host" &
		begun+=("$host")
	done
	await 1
	flush
}

# await LIMIT waits until fewer jobs than that are running. On a terminal it says meanwhile who is at work.
await() {
	while (($(jobs -pr | wc -l) >= $1)); do
		if [[ -z $wiping ]]; then
			wait -n || true
		else
			flush
			((SECONDS == since)) || progress
			sleep 0.2
		fi
	done
	wipe
}

# progress draws one line on the terminal; whatever is said next takes its place.
progress() {
	local host busy=() width line
	for host in "${begun[@]}"; do
		[[ -e $work/$host.code ]] || busy+=("$host")
	done
	((${#busy[@]})) || return 0
	read -r _ width < <(stty size <&2 2>/dev/null) && ((width)) || width=80
	line="   $((${#begun[@]} - ${#busy[@]}))/${#list[@]} done, $((SECONDS - since))s, at work: ${busy[*]}"
	printf '%s%s' "$wiping" "${line:0:width-1}" >&2
}

# wipe takes the line of progress away.
wipe() { printf '%s' "$wiping" >&2; }

# job FUNCTION STEP HOST
job() {
	local code=0
	trap - EXIT
	"$1" "$2" "$3" >"$work/$3.out" 2>&1 || code=$?
	printf '%d\n' "$code" >"$work/$3.code.new"
	mv -- "$work/$3.code.new" "$work/$3.code"
}

# flush prints the output of hosts that are done, in order.
flush() {
	while ((shown < ${#list[@]})) && [[ -e $work/${list[shown]}.code ]]; do
		wipe
		plain <"$work/${list[shown]}.out"
		shown=$((shown + 1))
	done
}

code_of() { cat -- "$work/$1.code" 2>/dev/null || echo 4; }

failure_among() {
	local name code
	for name; do
		is_well "$(code_of "$name")" || return 0
	done
	return 1
}

# is_well CODE: no failure, though something may be left to do, or open.
is_well() {
	case $1 in
	0 | 10 | 11 | 14 | "$gone") return 0 ;;
	*) return 1 ;;
	esac
}

# check_host STEP HOST prints only what went wrong; what is to be done is said by the caller.
check_host() {
	local code=0 started=$EPOCHSECONDS
	one check "$1" "$2" || code=$?
	case $code in
	255)
		cp -- "$state/output/$1.$2.log" "$work/$2.silent"
		return "$gone"
		;;
	14) host_open "$1" "$2" ;;
	0)
		record "$1" "$2" ALREADY_DONE $((EPOCHSECONDS - started))
		show "$1" "$2" ALREADY_DONE "$(notes "$1" "$2")"
		;;
	10 | 11) ;;
	*) host_failed "$1" "$2" check "$code" "$started" ;;
	esac
	return "$code"
}

# apply_host STEP HOST
apply_host() {
	local code=0 started=$EPOCHSECONDS phase told=''
	for phase in before apply confirm verify; do
		code=0
		case $phase in
		before) hook before "$1" "$2" || code=$? ;;
		confirm) ! has_function confirm "$1" || one confirm "$1" "$2" || code=$? ;;
		*) one "$phase" "$1" "$2" || code=$? ;;
		esac
		if ((code == 14)); then
			host_open "$1" "$2"
			return 14
		elif ((code)); then
			host_failed "$1" "$2" "$phase" "$code" "$started"
			if [[ $phase == confirm ]]; then hook lost "$1" "$2" || true; fi
			return "$code"
		fi
		told+=$'\n'$(notes "$1" "$2")
	done
	record "$1" "$2" DONE $((EPOCHSECONDS - started))
	told=$(sort -u <<<"$told")
	show "$1" "$2" DONE "$((EPOCHSECONDS - started))s${told:+$'\n'$told}"
}

# notes STEP HOST prints what the step has to tell although all is done.
notes() { sed -n 's/^\(skep-firewall: \)\{0,1\}note: /note: /p' "$state/output/$1.$2.log" 2>/dev/null || true; }

# hook NAME STEP HOST: what a step does on this machine for a host, if it has such a function.
hook() (
	has_function "$1" "$2" || exit 0
	# shellcheck source=/dev/null
	source /dev/stdin <<<"${texts[$2]}"
	"$1" "$3" 2>&1 | plain --unbuffered | tee -a "$state/output/$2.$3.log" | sed "s/^/$wiping   /" >&2
)

# has_function NAME STEP
has_function() { [[ ${texts[$2]} == *$'\n'"$1()"* ]]; }

# host_failed STEP HOST PHASE CODE STARTED
host_failed() {
	local cause="$3 failed (exit $4)"
	case $4 in
	12 | 13) cause="$3 refused" ;;
	255) cause='no connection' ;;
	esac
	record "$1" "$2" FAILED $((EPOCHSECONDS - $5))
	show "$1" "$2" FAILED "$cause"$'\n'"$(tail -n 15 "$state/output/$1.$2.log" 2>/dev/null || true)"
}

# host_open STEP HOST: the step wants another host, which does not answer.
host_open() {
	local text
	text=$(last_line "$state/output/$1.$2.log")
	show "$1" "$2" OPEN "$text"
	printf '%s' "$text" >"$work/$1.$2.open"
}

# gather STEP HOST... remembers who fell silent, and what was left open.
gather() {
	local step=$1 host file
	shift
	lose_silent "$@"
	for host; do
		file=$work/$step.$host.open
		if [[ -e $file ]]; then left_open["$step on $host"]=$(<"$file"); fi
	done
}

heading() {
	[[ $json == yes ]] || printf '%s %s: %s\n' "${numbers[$1]}" "$1" "${titles[$1]}"
}

# run_step STEP returns 1 when a host failed.
run_step() {
	local step=$1 host code todo=() hosts=() absent=()
	hosts_of "$step"
	heading "$step"
	skipped "$step"
	((${#hosts[@]})) || return 0
	if done_before "$step"; then return 0; fi
	each "$parallel" check_host "$step" "${hosts[@]}"
	gather "$step" "${hosts[@]}"
	failed "$step" "${hosts[@]}" || return 1
	for host in "${hosts[@]}"; do
		code=$(code_of "$host")
		case $code in
		10 | 11) todo+=("$host") ;;
		esac
	done
	((${#todo[@]})) || return 0
	touched=yes
	consent "$step" "${todo[@]}"
	case ${orders[$step]} in
	serial) each 1 apply_host "$step" "${todo[@]}" ;;
	canary | rolling)
		risky "$step" || return 1
		todo=()
		;;
	*) each "$parallel" apply_host "$step" "${todo[@]}" ;;
	esac
	if ((${#todo[@]})); then
		gather "$step" "${todo[@]}"
		failed "$step" "${todo[@]}" || return 1
	fi
	if ! hook after "$step" "$first_manager"; then
		host_failed "$step" "$first_manager" after 1 "$EPOCHSECONDS"
		failed_hosts=("$first_manager")
		return 1
	fi
}

# failed STEP HOST... remembers the hosts that failed; returns 1 when there are any.
failed() {
	local host code
	shift
	failed_hosts=()
	for host; do
		[[ -e $work/$host.code ]] || continue
		is_well "$(code_of "$host")" || failed_hosts+=("$host")
	done
	((${#failed_hosts[@]} == 0))
}

# consent STEP HOST... asks before a dangerous step; without a terminal it refuses.
consent() {
	local step=$1
	shift
	[[ -n ${dangers[$step]} ]] || return 0
	ask "$step on $*: ${dangers[$step]}"
}

ask() {
	[[ $yes == no ]] || return 0
	local answer=''
	[[ -t 0 ]] || die 3 "$1; there is no terminal to ask: add --yes"
	say "   $1" >&2
	printf '   Continue? [y/N] ' >&2
	read -r answer || true
	[[ $answer == y || $answer == yes ]] || die 3 'stopped before a dangerous step; nothing of it was done'
}
