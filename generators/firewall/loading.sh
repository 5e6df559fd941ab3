# Loading: the node has the rules that somebody confirmed, or the closed minimum. Nothing in between is left standing.

readonly state=/run/skep-firewall
readonly digests=/etc/skep/firewall.sha256 # of the rules that were confirmed
readonly mark=$state/loaded                # Docker waits for it
readonly unit=skep-firewall.service

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# digest_lines FILE...: the digests of what is, or will be, installed.
digest_lines() {
	local i
	for i in "${!installed[@]}"; do printf '%s  %s\n' "$(sum_of "${@:i+1:1}")" "${installed[i]}"; done
}

# write_digests replaces the digests by stdin; a crash leaves either of the two.
write_digests() {
	cat >"$digests.new"
	sync -- "$digests.new"
	mv -f -- "$digests.new" "$digests"
	sync -- "${digests%/*}"
}

# is_confirmed FILE
is_confirmed() { grep -qxF "$(sum_of "$1")  $1" "$digests"; }

# keep installs the rules on trial. The digests hold for the old and the new rules until all files are in their place.
keep() {
	local i fresh=()
	for i in "${!installed[@]}"; do
		fresh+=("$state/new/${installed[i]##*/}")
		install -D -m 0644 "${fresh[i]}" "${installed[i]}.new"
	done
	sync -- "${installed[@]/%/.new}"
	{
		if [[ -e $digests ]]; then cat "$digests"; else digest_lines "${installed[@]}" 2>/dev/null || true; fi
		digest_lines "${fresh[@]}"
	} | write_digests
	for i in "${!installed[@]}"; do mv -f -- "${installed[i]}.new" "${installed[i]}"; done
	sync -- "${installed[0]%/*}"
	digest_lines "${fresh[@]}" | write_digests
	rm -rf "$state/closed"
	: >"$mark"
}

# start_unit lets systemd know what is true: the rules are loaded, now and at the next boot.
start_unit() {
	exec 9>&- # the unit waits for its turn as well
	[[ -d /run/systemd/system ]] || return 0
	if ! systemctl enable --quiet "$unit" || ! systemctl start "$unit"; then say "warning: $unit does not start, so the rules will not load at boot: systemctl status $unit"; fi
	start_docker
}

# start_docker starts an engine that waited for the rules in vain; one that somebody stopped stays as it is.
start_docker() {
	local result
	[[ -d /run/systemd/system ]] || return 0
	result=$(systemctl show --property=AssertResult,AssertTimestampMonotonic docker.service 2>/dev/null) || return 0
	if [[ $result == *AssertResult=no* && $result != *AssertTimestampMonotonic=0* ]]; then
		say "Docker waited for the rules: starting it"
		systemctl reset-failed docker.socket docker.service 2>/dev/null || true
		systemctl start --no-block docker.service || say "warning: Docker does not start"
	fi
}

load() {
	local file there=0
	need_root
	take_lock
	if [[ $(phase) == pending ]]; then refuse "a trial is pending: confirm it or roll it back first"; fi
	for file in "${installed[@]}"; do
		if [[ -e $file ]]; then there=1; fi
	done
	# Where Docker waits, somebody confirmed rules once: that all are gone is no first install.
	if ((!there)) && [[ ! -e $digests && ! -e $docker_waits && -z $(left_over) ]]; then die "nothing is installed; run skep-firewall try"; fi
	install -d -m 0700 "$state"
	if ! { ((!there)) && load_other; } && ! load_installed; then
		close_node
		exit 1
	fi
	rm -rf "$state/closed"
	: >"$mark"
	start_docker
}

# load_installed says why when it cannot.
load_installed() {
	local file
	for file in "${installed[@]}"; do
		if [[ ! -s $file ]]; then
			say "$file: missing or empty"
			return 1
		fi
		if [[ -e $digests ]] && ! is_confirmed "$file"; then
			say "$file: is not what was confirmed"
			return 1
		fi
	done
	if [[ ! -e $digests ]]; then say "warning: an older skep confirmed these rules and kept no digest; the next confirm does"; fi
	# It ends the shell that it runs in.
	(check "${installed[@]}") || return 1
	if differences "${installed[@]}" >/dev/null; then return 0; fi
	if ! apply_rules "${installed[@]}" || ! differences "${installed[@]}" >&2; then
		say "the rules did not load as they are written"
		return 1
	fi
}

# close_node loads the closed minimum, which this script carries itself.
close_node() {
	rm -f "$mark"
	rm -rf "$state/closed"
	install -d -m 0700 "$state/closed"
	write_closed "$state/closed"
	if ! apply_rules "$state"/closed/*; then
		rm -rf "$state/closed"
		say "the closed minimum did not load either: THE NODE IS AS OPEN AS BEFORE"
		return
	fi
	say "the closed minimum is loaded: ssh from access.management, and nothing else; run the runbook's step firewall"
	if [[ $without_rules == start ]]; then
		: >"$mark"
	else
		say "Docker does not start until the rules load (firewall.withoutRules)"
	fi
}

# differences FILE...: prints what is loaded beside the rules of the files, or missing; true when there is nothing to print.
differences() {
	local want have
	if ! want=$(expect_rules "$@"); then
		echo 'unknown: no empty network namespace to compare with'
		return 1
	fi
	have=$(list_rules 2>/dev/null) || have=''
	[[ $have != "$want" ]] || return 0
	diff <(printf '%s\n' "$want") <(printf '%s\n' "$have") | sed -n 's/^<[[:blank:]]*/missing: /p; s/^>[[:blank:]]*/added: /p' | head -n 5
	return 1
}

status() {
	local file told others_left settled=0
	need_root
	if ! told=$(status_loaded); then settled=1; fi
	echo "$told"
	for file in "${installed[@]}"; do
		if [[ ! -r $file ]]; then
			echo "not installed: $file"
			settled=1
		elif [[ -e $digests ]] && ! is_confirmed "$file"; then
			echo "altered: $file"
			settled=1
		else
			echo "installed: $file"
		fi
	done
	if [[ ! -e $digests ]]; then
		echo "no digest: $digests"
		settled=1
	fi
	others_left=$(left_over)
	if [[ -n $others_left ]]; then
		printf '%s\n' "$others_left"
		settled=1
	fi
	echo "trial: $(phase)"
	if [[ $(phase) == pending ]]; then settled=1; fi
	warn_flush
	return "$settled"
}

# status_loaded compares what is loaded with what should be.
status_loaded() {
	local told files=("${installed[@]}")
	if ! loaded; then
		echo 'loaded: no'
		return 1
	fi
	if [[ $(phase) == pending ]]; then
		files=("$state"/new/*)
	elif [[ -e $state/closed ]]; then
		echo 'loaded: the closed minimum'
		return 1
	fi
	if told=$(differences "${files[@]}" 2>/dev/null); then
		echo 'loaded: yes'
		return
	fi
	echo 'loaded: changed'
	printf '%s\n' "$told"
	return 1
}

remove() {
	need_root
	take_lock
	if [[ $(phase) == pending ]]; then set_phase returned; fi
	stop_timer
	{ unload && drop_others; } || die "the rules did not unload"
	rm -f -- "${installed[@]}" "$digests" "$docker_waits"
	if [[ -d /run/systemd/system ]]; then
		systemctl disable --quiet "$unit" 2>/dev/null || true
		systemctl daemon-reload
	fi
	rm -rf "$state"
}
