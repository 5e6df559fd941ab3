# The command: loads the rules at boot, or tries new ones until someone proves that they can still log in.

PATH=$PATH:/usr/sbin:/sbin

readonly state=/run/skep-firewall
readonly lock=/run/skep-firewall.lock
readonly timer=skep-firewall-rollback

usage() {
	cat <<'END'
usage: skep-firewall VERB
  check [FILE...]  would the kernel take the rules? without FILE: the installed ones
  try FILE...      load the rules; the previous ones come back unless they are confirmed in time
  confirm          keep the rules on trial and install them; run it over a new connection
  rollback         end the trial now: the previous rules come back
  load             load the installed rules, as at boot
  status           what is loaded, installed and pending; exit 1 unless all is settled
  remove           unload and uninstall the rules: the node is open
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

# check_uplink: the rules take these interfaces for Docker's; a machine that is reached through one would lock everyone out.
check_uplink() {
	local device pattern
	while read -r device; do
		for pattern in "${bridges[@]}"; do
			# shellcheck disable=SC2053 # br-* is a pattern
			if [[ $device == $pattern ]]; then refuse "the default route leaves through $device, which the rules take for a bridge of Docker: rename it"; fi
		done
	done < <({ ip -o route show default && ip -o -6 route show default; } 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
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
	check_uplink
	take_lock
	if [[ $(phase) == pending ]]; then refuse "a trial is pending: confirm it or roll it back first"; fi
	# A command that was killed after its trial had ended left the timer behind.
	stop_timer
	rm -rf "$state"
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
	if ! apply_rules "${new[@]}"; then
		restore_rules "$state/previous" || true
		set_phase returned
		stop_timer
		die "the new rules did not load; the previous ones are back"
	fi
	say "the rules are on trial; in $rollback seconds the previous ones come back, unless you run over a NEW connection: skep-firewall confirm"
}

# confirm: a connection that stands passes any rules, so the one that tried them proves nothing.
confirm() {
	local i
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
	if ! loaded; then refuse "the rules on trial are gone: something else removed them"; fi
	for i in "${!installed[@]}"; do
		install -D -m 0644 "$state/new/${installed[i]##*/}" "${installed[i]}.new"
	done
	for i in "${!installed[@]}"; do mv -f "${installed[i]}.new" "${installed[i]}"; done
	set_phase confirmed
	stop_timer
	say "the rules are kept"
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

load() {
	local file
	need_root
	take_lock
	if [[ $(phase) == pending ]]; then refuse "a trial is pending: confirm it or roll it back first"; fi
	for file in "${installed[@]}"; do
		[[ -r $file ]] || die "$file: nothing is installed; run skep-firewall try"
	done
	apply_rules "${installed[@]}" || die "the rules did not load"
}

remove() {
	need_root
	take_lock
	if [[ $(phase) == pending ]]; then set_phase returned; fi
	stop_timer
	unload || die "the rules did not unload"
	rm -f -- "${installed[@]}"
	rm -rf "$state"
}

status() {
	local file settled=0
	need_root
	if loaded; then
		echo 'loaded: yes'
	else
		echo 'loaded: no'
		settled=1
	fi
	for file in "${installed[@]}"; do
		if [[ -r $file ]]; then
			echo "installed: $file"
		else
			echo "not installed: $file"
			settled=1
		fi
	done
	echo "trial: $(phase)"
	if [[ $(phase) == pending ]]; then settled=1; fi
	warn_flush
	return "$settled"
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
