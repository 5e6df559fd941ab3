# The host firewall of a node: loaded on trial, and kept only when a new connection gets through.

files() {
	local ending
	printf '%s\n' firewall/skep-firewall.sh firewall/skep-firewall.service firewall/docker.service.conf
	for ending in "${endings[@]}"; do printf 'firewall/%s%s\n' "$class" "$ending"; done
}

trial() { { "$command_path" status 2>/dev/null || true; } | sed -n 's/^trial: //p'; }

check() {
	local i told=''
	would_install firewall/skep-firewall.sh "$command_path"
	would_install firewall/skep-firewall.service "$unit_path"
	for i in "${!endings[@]}"; do would_install "firewall/$class${endings[i]}" "${rules_paths[i]}"; done
	if [[ ! -x $command_path ]]; then
		would 'load the rules'
	elif ! told=$("$command_path" status 2>/dev/null); then
		would "load the rules:"$'\n'"$(sed -n '/^installed: /!s/^/   /p' <<<"$told")"
	fi
	systemctl is-enabled --quiet "${unit_path##*/}" 2>/dev/null || would "enable ${unit_path##*/}"
	systemctl is-active --quiet "${unit_path##*/}" 2>/dev/null || would "start ${unit_path##*/}"
	would_install firewall/docker.service.conf "$docker_path"
}

apply() {
	local i new=()
	put firewall/skep-firewall.sh "$command_path" 0755
	put firewall/skep-firewall.service "$unit_path" 0644
	systemctl daemon-reload
	# An interrupted run leaves a trial behind.
	if [[ $(trial) == pending ]]; then "$command_path" rollback; fi
	for i in "${!endings[@]}"; do new+=("$kept/bundle/firewall/$class${endings[i]}"); done
	"$command_path" try "${new[@]}"
}

# confirm comes over a new connection, which the rules on trial must have let in. With --transport local nothing here is
# new: who came by ssh confirms over a second login; who sits at the console, or is no person, cannot be locked out.
confirm() {
	if [[ -z ${came_by:-} ]]; then
		"$command_path" confirm
	else
		wait_for "$rollback" "$command_path confirm, over a second login" confirmed
	fi
	# Not before: without rules that somebody confirmed Docker would wait for ever.
	put firewall/docker.service.conf "$docker_path" 0644
	systemctl daemon-reload
}

confirmed() { [[ $(trial) == confirmed ]]; }

prepare() { [[ $phase != confirm ]] || given came_by "$(local_login)"; }

# local_login prints how a person came to the machine that runs the runbook on itself; sudo hides what ssh said.
local_login() {
	[[ $transport == local ]] || return 0
	if [[ -z ${SSH_CONNECTION:-} && -n ${SUDO_USER:-} ]] && { : </dev/tty; } 2>/dev/null; then
		printf 'sudo'
	else
		printf '%s' "${SSH_CONNECTION:-}"
	fi
}

# before asks the terminal for the second login: what the step itself prints comes when it has ended.
before() {
	[[ -n $(local_login) ]] || return 0
	{ printf '\n   The rules go on trial. Within %s seconds log in once more and run: %s confirm\n' "$rollback" "$command_path" >/dev/tty; } 2>/dev/null || true
}

# lost runs on the operator's machine when no new connection came through.
lost() {
	local until=$((SECONDS + rollback + 60))
	if [[ $transport == local ]]; then
		say "nobody confirmed the rules on trial over a second login; the previous ones come back within ${rollback}s"
		return
	fi
	say "no new connection to $1 came through the rules on trial; without a confirmation the previous ones come back within ${rollback}s"
	until printf 'true\n' | shell_on "$1" new >/dev/null 2>&1; do
		if ((SECONDS >= until)); then
			say "$1 still does not answer: use its console, then: $command_path rollback"
			return
		fi
		sleep 2
	done
	say "$1 answers again under its previous rules. Is the address you come from in access.management? Correct the spec, build, run again"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'the firewall is not as wanted'
}

undo() {
	[[ ! -x $command_path ]] || "$command_path" remove
	systemctl disable --quiet "${unit_path##*/}" 2>/dev/null || true
	take_back "$docker_path"
	take_back "$unit_path"
	take_back "$command_path"
	systemctl daemon-reload
}
