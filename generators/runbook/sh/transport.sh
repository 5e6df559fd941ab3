# How a step reaches its host: one self-contained program (lib.sh, facts, the step) on the stdin of a shell over there.
# Secrets travel inside it, so they stand in no argument list, file or log on the way.

sockets=''

open_sockets() {
	# One connection per host for all steps. Socket paths are short by law, so they live in no place that somebody else chose.
	if [[ -z $sockets && $transport == ssh ]]; then
		sockets=$(mktemp -d /tmp/skep.XXXXXX) || sockets=''
	fi
}

# Masters end by themselves a minute after their last use.
close_sockets() { [[ -z $sockets ]] || rm -rf -- "$sockets"; }

# shell_on HOST [new]: runs the program on stdin as root of the host; "new" makes a new connection, as a firewall test must.
shell_on() {
	if [[ $1 == operator ]]; then
		bash -s 9>&-
		return
	fi
	if [[ $transport == local ]]; then
		on_this_machine bash -s
		return
	fi
	local program=(bash -s)
	[[ ${inventory_user[$1]} == root ]] || program=(sudo -n bash -s)
	on_node "${1}" "${2:-}" "${program[@]}"
}

on_this_machine() {
	if ((EUID == 0)); then "$@" 9>&-; else sudo -n "$@" 9>&-; fi
}

# With keys in the spec no file of this machine says who a node is, whatever --ssh-config has.
readonly pinned=(-o StrictHostKeyChecking=yes -o "UserKnownHostsFile=\"$bundle/runbook/known_hosts\"" -o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no)

# known_as HOST prints what known_hosts calls it. The key is the node's, whichever way leads to it: a HostName of --ssh-config does not count.
known_as() {
	if [[ ${inventory_port[$1]} == 22 ]]; then
		printf '%s' "${inventory_ssh[$1]}"
	else
		printf '[%s]:%s' "${inventory_ssh[$1]}" "${inventory_port[$1]}"
	fi
}

# on_node HOST new|'' COMMAND...: never asks, never waits for ever.
on_node() {
	local host=$1 fresh=$2
	shift 2
	local options=(-T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=8)
	[[ -z $ssh_config ]] || options+=(-F "$ssh_config")
	[[ ! -e $bundle/runbook/known_hosts ]] || options+=("${pinned[@]}" -o "HostKeyAlias=$(known_as "$host")")
	if [[ $fresh == new || -z $sockets ]]; then
		options+=(-o ControlMaster=no -o ControlPath=none)
	else
		options+=(-o ControlMaster=auto -o "ControlPath=$sockets/%C" -o ControlPersist=60)
	fi
	if ! command -v ssh >/dev/null; then
		printf 'ssh: not found on this machine; install openssh-client\n'
		return 255
	fi
	ssh "${options[@]}" -p "${inventory_port[$host]}" -l "${inventory_user[$host]}" -- "${inventory_ssh[$host]}" "$@" 9>&-
}

declare -A texts=()
library=''

# read_programs reads once what each program is made of.
read_programs() {
	local id
	library=$(cat -- "$bundle/runbook/lib.sh" "$bundle/runbook/names.sh")
	for id in "${steps[@]}"; do texts[$id]=$(step_text "$id"); done
}

# step_text STEP prints the facts that the step uses, and no others; then what it does. It is for a shell of its own, as part is.
step_text() {
	local body
	variables
	printf 'readonly argument=%q\n' "${arguments[$1]}"
	# shellcheck disable=SC2086 # names have no spaces
	[[ -z ${uses[$1]} ]] || declare -p ${uses[$1]}
	for body in ${bodies[$1]}; do cat -- "$bundle/runbook/steps/$body.sh"; done
}

# facts HOST: what the program may know about the node it runs on and the cluster.
facts() {
	printf 'readonly host=%q address=%q role=%q class=%q duties=%q architecture=%q\n' "$1" \
		"${inventory_address[$1]:-}" "${inventory_role[$1]:-operator}" "${inventory_class[$1]:-}" \
		"${inventory_duties[$1]:-}" "${inventory_architecture[$1]:-}"
	# origin is where the bundle stands, bundle the checked copy that is read; silent are those that take no part.
	printf 'readonly first_manager=%q state=%q origin=%q bundle=%q silent=%q\n' "$first_manager" "$state" "$origin" "$bundle" "${!silent[*]} ${!excepted[*]}"
}

# parcel PHASE FILE...: digests of bundle files, and in apply the files themselves.
parcel() {
	local phase=$1 file
	shift
	printf 'declare -A digest=('
	for file; do printf '[%q]=%q ' "$file" "${sums[$file]}"; done
	printf ')\n'
	if [[ $phase == apply ]] && (($#)); then
		printf "parcel() {\n\tbase64 -d <<'SKEP'\n"
		tar --create --gzip --owner=0 --group=0 --numeric-owner --mode=go-w -C "$bundle" -- "$@" | base64
		printf 'SKEP\n}\n'
	fi
}

# program PHASE HOST STEP...: prints the program. Parts that come from a command are made before anything is
# printed: half a program must not run.
program() {
	local phase=$1 host=$2 step part body
	shift 2
	printf '%s\n' "$library"
	facts "$host"
	printf 'exec 2>&1\nset +e\n'
	[[ $phase != check ]] || printf 'tell_clock %d\n' "$EPOCHSECONDS"
	for step; do
		if ! part=$(part "$phase" "$host" "$step" 2>"$work/$host.$step.why"); then
			body=$(cat -- "$work/$host.$step.why")
			# The text may be what another node said, so it must not be able to end its quote.
			printf "printf '%%s\\\\n' %q '@skep %s %d'\n" "$body" "$step" "$(part_code "$phase")"
			continue
		fi
		printf '(\n%s\nstep_main %s\n) </dev/null\nprintf "@skep %s %%d\\\\n" "$?"\n' "$part" "$phase" "$step"
	done
}

# Inputs that are missing leave a check unknown and make an apply fail.
part_code() { if [[ $1 == check ]]; then echo 11; else echo 12; fi; }

# part PHASE HOST STEP: the step itself, the digests and files it names, and what it prepares on this machine.
part() {
	phase=$1 host=$2
	role=${inventory_role[$2]:-operator} class=${inventory_class[$2]:-}
	prepare() { :; }
	# shellcheck source=/dev/null
	source /dev/stdin <<<"${texts[$3]}"
	names=''
	! has_function files "$3" || names=$(files) || exit
	of_row "$3" "$names" || exit
	# shellcheck disable=SC2086 # names of files in the bundle have no spaces
	parcel "$phase" $names || exit
	prepare || exit
	printf '%s\n' "${texts[$3]}"
}

# of_row STEP FILES: the row of the step tells them all, or their folders.
of_row() {
	local name known
	for name in $2; do
		for known in ${sent[$1]}; do
			if [[ $name == "$known" || ($known == */ && $name == "$known"*) ]]; then continue 2; fi
		done
		say "the step $1 wants $name, and its row does not tell of it" >&2
		return 1
	done
}

# remote PHASE HOST OUTPUT STEP...: runs the steps' phase on the host, output into a file. Returns ssh's own exit code.
remote() {
	local phase=$1 host=$2 output=$3 fresh='' text code=0
	shift 3
	if [[ $phase == confirm ]]; then fresh=new; fi
	text=$(program "$phase" "$host" "$@") || return 4
	printf '%s\n' "$text" | shell_on "$host" "$fresh" >"$output" 2>&1 || code=$?
	return "$code"
}

# ask_node HOST COMMAND...: prints what a read-only question to a node answers; nothing of it is logged.
ask_node() {
	local host=$1
	shift
	printf '%s\n' "$*" | shell_on "$host"
}

# stream_to HOST COMMAND...: stdin to a command on the host.
stream_to() {
	local host=$1 program
	shift
	if [[ $transport == local ]]; then
		on_this_machine "$@"
		return
	fi
	program=("$@")
	[[ ${inventory_user[$host]} == root ]] || program=(sudo -n "$@")
	on_node "$host" '' "${program[@]}"
}

# given NAME VALUE: a variable of the program, for prepare.
given() { printf 'readonly %s=%q\n' "$1" "$2"; }
