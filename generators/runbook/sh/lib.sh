# What the steps share on a node. The runbook sends it before each step; nothing of it is installed.
# A step has the functions check (what would change?), apply, verify and undo. Their words:

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C # one order of names and one language of programs, whatever an operator's ssh sends along

readonly kept=/var/lib/skep # what the runbook keeps on a node: the delivered files, records of what it did

say() { printf '%s\n' "$*"; }

# would TEXT: apply has something to do.
would() {
	skep_changes=$((skep_changes + 1))
	say "would $*"
}

# unknown TEXT ends a check that an earlier step must come before.
unknown() {
	say "$*"
	exit 11
}

# refuse TEXT... ends a phase that a person must decide; each further text is a line.
refuse() {
	printf '%s\n' "$@"
	exit 12
}

# refuse_in_turn TEXT... is for what stops the run at this step and no earlier: an earlier step may be about to close a
# hole, or to bring what is missing here.
refuse_in_turn() {
	printf '%s\n' "$@"
	exit 13
}

# leave_open TEXT ends a phase that wants a host that does not answer. The run goes on, and says at its end what is open.
leave_open() {
	say "$*"
	exit 14
}

# is_silent HOST
is_silent() { [[ " $silent " == *" $1 "* ]]; }

# note TEXT stops nothing; the runbook shows it although all is done, and once more at its end.
note() { say "note: $*"; }

# in_service: skep, or somebody before it, has set this node up. What should have stopped the first run is a note then:
# this run may be the one that closes a hole.
in_service() {
	local now
	[[ ! -e $kept/engine.running ]] || return 0
	now=$(swarm_state) || return 1
	[[ $now == active || $now == locked ]]
}

# first_run TEXT WAY-OUT refuses on a node that is not in service yet.
first_run() { if in_service; then note "$1: $2"; else refuse "$1" "$2"; fi; }

# What a step may leave out. verify looks once more: nothing may be left to do; amiss is what is wrong when something is.
apply() { :; }
verify() { nothing_left "${amiss:-}"; }
undo() { :; }

# nothing_left TEXT refuses with the text what check would still change.
nothing_left() {
	check
	((skep_changes == 0)) || refuse "$1"
}

# tell_clock SECONDS: how far this clock is ahead of the operator's, which showed SECONDS, and whether the node is in service.
tell_clock() {
	local service=out
	[[ $host != operator ]] || return 0
	if in_service; then service=in; fi
	printf '@clock %d %s\n' $((EPOCHSECONDS - $1)) "$service"
}

# step_main PHASE
step_main() {
	skep_changes=0
	exec 7>&1
	trap 'say "stopped in line $LINENO: $BASH_COMMAND (exit $?)" >&7' ERR
	set -E
	case $1 in
	check)
		check
		if ((skep_changes)); then exit 10; fi
		;;
	apply)
		alone
		unpack
		apply
		;;
	confirm) confirm ;;
	verify) verify ;;
	undo)
		alone
		undo
		;;
	esac
}

# alone waits for what an interrupted run may have left at work on this node.
alone() {
	[[ $host != operator ]] || return 0
	mkdir -p "$kept"
	chmod 0700 "$kept"
	exec 8>"$kept/lock"
	flock -w 120 8 || refuse 'another runbook is at work on this node'
}

# unpack puts the delivered files below $kept/bundle and compares them with the MANIFEST.
unpack() {
	((${#digest[@]})) && [[ $host != operator ]] || return 0
	mkdir -p "$kept/bundle"
	parcel | tar --extract --gzip --no-same-permissions -C "$kept/bundle"
	local path
	for path in "${!digest[@]}"; do
		printf '%s  %s\n' "${digest[$path]}" "$kept/bundle/$path"
	done | sha256sum --check --quiet -
}

sum_of() {
	local line
	[[ -f $1 ]] || return 0
	line=$(sha256sum <"$1")
	printf '%s' "${line%% *}"
}

# is_installed BUNDLE-FILE PATH
is_installed() { [[ $(sum_of "$2") == "${digest[$1]}" ]]; }

# would_install BUNDLE-FILE PATH
would_install() { is_installed "$1" "$2" || would "install $2"; }

# put BUNDLE-FILE PATH MODE: atomically; a file that skep did not write is kept once as PATH.before-skep.
put() {
	if is_installed "$1" "$2"; then
		chmod "$3" "$2"
		return
	fi
	place "$kept/bundle/$1" "$2" "$3"
}

# place FILE PATH MODE does the same with a file of the node.
place() {
	if [[ $(sum_of "$1") == "$(sum_of "$2")" ]]; then
		chmod "$3" "$2"
		return
	fi
	mkdir -p "$(dirname "$2")"
	if [[ -e $2 && ! -e $2.before-skep && ! -e $kept/owned$2 ]]; then cp -a -- "$2" "$2.before-skep"; fi
	mkdir -p "$(dirname "$kept/owned$2")"
	: >"$kept/owned$2"
	install -m "$3" -- "$1" "$2.skep-new"
	mv -f -- "$2.skep-new" "$2"
	say "installed $2"
}

# take_back PATH: the file that was there before, or none.
take_back() {
	if [[ -e $1.before-skep ]]; then
		mv -f -- "$1.before-skep" "$1"
		say "restored $1"
	elif [[ -e $kept/owned$1 ]]; then
		rm -f -- "$1"
		say "removed $1"
	fi
	rm -f -- "$kept/owned$1"
}

# write_secret PATH: stdin into a file that only root reads.
write_secret() (
	umask 077
	mkdir -p "$(dirname "$1")"
	cat >"$1.skep-new"
	mv -f -- "$1.skep-new" "$1"
)

# wait_for SECONDS TEXT COMMAND...: asks again until it holds.
wait_for() {
	local until=$((SECONDS + $1)) text=$2 tell_at=$((SECONDS + 10))
	shift 2
	until "$@"; do
		if ((SECONDS >= until)); then
			say "timed out waiting for $text"
			return 1
		fi
		waiting "$text"
		sleep 1
	done
}

# waiting TEXT says what is waited for, once tell_at of the caller has come and then every 30 seconds. The runbook passes such
# lines on as they come.
waiting() {
	((SECONDS >= tell_at)) || return 0
	say "wait: $1"
	tell_at=$((SECONDS + 30))
}

has() { command -v "$1" >/dev/null; }

# has_text FILE TEXT
has_text() { [[ -e $1 && $(<"$1") == "$2" ]]; }

# is_like WORD PATTERN...
is_like() {
	local pattern
	for pattern in "${@:2}"; do
		# shellcheck disable=SC2053 # br-* is a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# last_words UNIT prints the end of its log.
last_words() { journalctl -u "$1" -n 20 --no-pager 2>/dev/null || true; }

engine_up() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# swarm_state prints inactive, pending, active, error or locked.
swarm_state() { docker info --format '{{.Swarm.LocalNodeState}}' 2>/dev/null; }

is_manager() { [[ $(docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null) == true ]]; }

# need_engine ends a check on a node without an engine.
need_engine() { has docker && engine_up || unknown 'no Docker engine yet'; }

# need_swarm ends a check on a node that is no manager yet.
need_swarm() {
	need_engine
	is_manager || unknown 'no swarm yet'
	docker node ls --quiet >/dev/null 2>&1 || refuse 'the managers have lost their majority, so nobody can change this swarm' \
		"start the managers that are down; if they are gone for good, on $host: docker swarm init --force-new-cluster --advertise-addr $address, then run again"
}

# engine_version prints the version of the engine that answers, or else of the one that is installed.
engine_version() {
	local version
	version=$(docker version --format '{{.Server.Version}}' 2>/dev/null) || version=$(dockerd --version | awk '{gsub(",", "", $3); print $3}')
	printf '%s' "${version%%[-+~]*}"
}

# misfit prints what is wrong with this node's engine, if anything.
misfit() {
	local version
	version=$(engine_version)
	version_between "$version" "$engine_from" "$engine_below" ||
		printf 'engine %s is outside engine.versions: %s up to, not with, %s' "$version" "$engine_from" "$engine_below"
}

# version_between VERSION FROM BELOW
version_between() {
	! is_older "$1" "$2" && is_older "$1" "$3"
}

# is_older VERSION VERSION: by their numbers; one that is missing is 0.
is_older() {
	local i
	local -a one two
	IFS=. read -r -a one <<<"${1//[!0-9.]/}"
	IFS=. read -r -a two <<<"${2//[!0-9.]/}"
	for i in 0 1 2 3; do
		((10#0${one[i]:-} == 10#0${two[i]:-})) || return $((10#0${one[i]:-} > 10#0${two[i]:-}))
	done
	return 1
}
