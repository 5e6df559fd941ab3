# The command: loads the rules at boot, or tries new ones until someone proves that they can still log in.

PATH=$PATH:/usr/sbin:/sbin

readonly lock=/run/skep-firewall.lock
readonly timer=skep-firewall-rollback

usage() {
	cat <<'END'
usage: skep-firewall VERB
  check [FILE...]  would the kernel take the rules? without FILE: the installed ones
  try FILE...      load the rules; the previous ones come back unless they are confirmed in time
  confirm          keep the rules on trial and install them; run it over a new connection
  rollback         end the trial now: the previous rules come back
  load             load the installed rules, as at boot; where they are broken, the closed minimum, and exit 1
  status           what is loaded, installed and pending; exit 1 unless all is settled
  remove           unload and uninstall the rules: the node is open, and Docker no longer waits for them
END
}

say() { printf 'skep-firewall: %s\n' "$*" >&2; }

# die: the rules or the machine are at fault. refuse: the order of commands is.
die() {
	say "$*"
	exit 1
}

refuse() {
	say "$*"
	exit 3
}

need_root() { if ((EUID != 0)); then refuse "want root"; fi; }

# take_lock: one command at a time; the timer waits for its turn as well.
take_lock() {
	exec 9>"$lock"
	flock -w 60 9 || refuse "another skep-firewall is running"
}

# phase: none, pending, confirmed or returned.
phase() { if [[ -e $state/phase ]]; then cat "$state/phase"; else echo none; fi; }

set_phase() {
	echo "$1" >"$state/phase.new"
	mv -f "$state/phase.new" "$state/phase"
}

# count FILE...: as many files as the backend installs.
count() {
	if (($# != ${#installed[@]})); then
		say "want ${#installed[@]} file(s), for ${installed[*]}"
		exit 2
	fi
}

check() {
	local file
	count "$@"
	command -v "$tool" >/dev/null || die "$tool is not installed"
	for file in "$@"; do
		[[ -r $file ]] || die "$file: no such file"
		check_rules "$file"
	done
	warn_flush
}

# warn_flush: Debian's own service empties every table, Docker's included, whenever it starts or stops.
warn_flush() {
	if systemctl is-enabled --quiet nftables.service 2>/dev/null && grep -Eqs '^[[:space:]]*flush ruleset' /etc/nftables.conf; then
		say "warning: nftables.service is enabled and /etc/nftables.conf has 'flush ruleset': a restart of it removes these rules and Docker's; disable it"
	fi
}

# is_bridge DEVICE: do the rules take it for a bridge of Docker?
is_bridge() {
	local pattern
	for pattern in "${bridges[@]}"; do
		# shellcheck disable=SC2053 # br-* is a pattern
		if [[ $1 == $pattern ]]; then return 0; fi
	done
	return 1
}

# check_bridges: a machine that is reached through what the rules take for a bridge of Docker would lock everyone out.
check_bridges() {
	local path device why
	for path in /sys/class/net/*; do
		device=${path##*/} why=''
		is_bridge "$device" || continue
		if [[ -e $path/device ]]; then
			why="$device is a network card"
		elif compgen -G "$path/lower_*/device" >/dev/null; then
			why="$device leads to a network card"
		elif ways_back | grep -qx "$device"; then
			why="the way back to management leaves through $device"
		fi
		if [[ -n $why ]]; then refuse "$why, and the rules take it for a bridge of Docker: rename it, or take it out of firewall.bridges"; fi
	done
}

# ways_back prints the interfaces of the default routes, and those through which management is answered.
ways_back() {
	local address
	{
		ip -o route show default
		ip -o -6 route show default
		for address in "${management[@]}" ${SSH_CONNECTION:+"${SSH_CONNECTION%% *}"}; do ip -o route get "$address" || true; done
	} 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p'
}

# start_timer: with systemd the rollback survives this session; without it (a container) a process of its own waits.
start_timer() {
	if [[ -d /run/systemd/system ]]; then
		systemd-run --quiet --collect --unit="$timer" --on-active="$rollback" --timer-property=AccuracySec=1s \
			/usr/bin/env bash "$state/command" expire
	else
		# shellcheck disable=SC2016 # the inner shell expands its own arguments
		setsid bash -c 'sleep "$1"; exec bash "$2" expire' wait "$rollback" "$state/command" </dev/null >/dev/null 2>&1 9>&- &
		echo "$!" >"$state/timer"
	fi
}

stop_timer() {
	if [[ -e $state/timer ]]; then
		kill -- "-$(<"$state/timer")" 2>/dev/null || true
		rm -f "$state/timer"
	else
		systemctl stop "$timer.timer" 2>/dev/null || true
	fi
}

try() {
	local i new=()
	need_root
	check "$@"
	check_bridges
	take_lock
	if [[ $(phase) == pending ]]; then refuse "a trial is pending: confirm it or roll it back first"; fi
	# A command that was killed after its trial had ended left the timer behind.
	stop_timer
	rm -rf "$state"/{phase,new,previous,command,connection,timer}
	install -d -m 0700 "$state" "$state/new" "$state/previous"
	for i in "${!installed[@]}"; do
		new+=("$state/new/${installed[i]##*/}")
		install -m 0644 "${@:i+1:1}" "${new[i]}"
	done
	install -m 0755 "${BASH_SOURCE[0]}" "$state/command"
	echo "${SSH_CONNECTION:-}" >"$state/connection"
	save_rules "$state/previous"
	set_phase pending
	if ! start_timer; then
		set_phase returned
		die "no timer for the rollback, so nothing was loaded"
	fi
	if ! apply_rules "${new[@]}" || ! differences "${new[@]}" >&2; then
		restore_rules "$state/previous" || true
		set_phase returned
		stop_timer
		die "the new rules did not load as they are written; the previous ones are back"
	fi
	say "the rules are on trial; in $rollback seconds the previous ones come back, unless you run over a NEW connection: skep-firewall confirm"
}

# confirm: a connection that stands passes any rules, so the one that tried them proves nothing.
confirm() {
	need_root
	take_lock
	case $(phase) in
	none) refuse "nothing is on trial" ;;
	returned) refuse "too late: the previous rules are back" ;;
	confirmed)
		say "confirmed before"
		return
		;;
	esac
	if [[ -n ${SSH_CONNECTION:-} && $SSH_CONNECTION == "$(<"$state/connection")" ]]; then
		refuse "this is the connection that tried the rules: confirm over a new one"
	fi
	if ! differences "$state"/new/* >&2; then refuse "something else changed the rules on trial: run skep-firewall rollback"; fi
	keep
	set_phase confirmed
	stop_timer
	say "the rules are kept"
	drop_others || say "warning: the rules of an older bundle's backend did not unload: skep-firewall status"
	cut_refused "${installed[@]}"
	start_unit
}

# give_back: ends the trial.
give_back() {
	restore_rules "$state/previous" || die "the previous rules did not load"
	set_phase returned
	say "the previous rules are back"
}

roll_back() {
	need_root
	take_lock
	case $(phase) in
	pending)
		give_back
		stop_timer
		;;
	returned) say "the previous rules are back already" ;;
	*) refuse "nothing is on trial" ;;
	esac
}

# expire: what the timer runs.
expire() {
	need_root
	take_lock
	if [[ $(phase) == pending ]]; then give_back; fi
	rm -f "$state/timer"
}

verb=${1:-}
if (($# > 0)); then shift; fi
case $verb in
check) if (($# > 0)); then check "$@"; else check "${installed[@]}"; fi ;;
try) try "$@" ;;
confirm) confirm ;;
rollback) roll_back ;;
expire) expire ;;
load) load ;;
status) status ;;
remove) remove ;;
-h | --help | help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
