# The Docker engine's settings: daemon.json, the systemd drop-in, kernel settings. A restart only for what needs one.

files() { printf '%s\n' engine/docker.service.conf engine/sysctl.conf; }

# What the spec sets, before it meets what the node has set.
prepare() {
	given daemon "$(<"$bundle/engine/$role.json")"
	given kernel "$(grep -v '^#' "$bundle/engine/sysctl.conf")"
}

# The certificates and settings that the running engine has, as settings_of prints them.
readonly running=/var/lib/skep/engine.running

# digest_of_settings is what older versions of skep kept there. A worker has no TLS files.
digest_of_settings() { { cat -- "$daemon_json" "$drop_in" "$tls_directory"/*.pem 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1; }

# settings_of DIGEST-OF-THE-DROP-IN prints "KEY<tab>VALUE" for what the engine reads, with the daemon.json on stdin.
settings_of() {
	printf 'drop-in\t%s\ncertificates\t%s\n' "$1" "$({ cat -- "$tls_directory"/*.pem 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1)"
	members
}

on_disk() { if [[ -s $daemon_json ]]; then settings_of "$(sum_of "$drop_in")" <"$daemon_json"; fi; }

wanted() {
	local file=engine/docker.service.conf
	merged | settings_of "${digest[$file]}"
}

# ran prints the settings that the engine runs with, as far as anybody knows.
ran() {
	if [[ ! -e $running ]]; then return; fi
	if [[ $(<"$running") != *$'\t'* ]]; then
		if has_text "$running" "$(digest_of_settings)"; then on_disk; fi
	else
		cat -- "$running"
	fi
}

# effects sorts what differs between that and what is wanted: what a reload brings, what wants a restart, what can wait for one.
effects() {
	local key value
	local -A was=() want=()
	reload='' restart='' later='' anew=no
	while IFS=$'\t' read -r key value; do was[$key]=$value; done < <(ran)
	while IFS=$'\t' read -r key value; do want[$key]=$value; done < <(wanted)
	((${#was[@]})) || anew=yes
	while IFS= read -r key; do
		[[ ${was[$key]-} != "${want[$key]-}" ]] || continue
		if [[ $key == metrics-addr && -z ${want[$key]-} ]]; then
			later=$key
		elif [[ -n ${want[$key]-} && " ${daemon_reloads[*]} " == *" $key "* ]]; then
			reload+=", $key"
		else
			restart+=", $key"
		fi
	done < <(printf '%s\n' "${!was[@]}" "${!want[@]}" | sort -u)
}

check() {
	settings_of_others
	has dockerd || unknown 'no Docker engine yet: the step packages installs it'
	settings_fit
	tell_settings
	would_install engine/docker.service.conf "$drop_in"
	would_install engine/sysctl.conf "$sysctl_conf"
	kernel_settings
	tell_effects
	engine_up || would 'start the Docker engine'
}

tell_effects() {
	local reload restart later anew
	effects
	if [[ $anew == yes ]]; then
		would 'restart the Docker engine'
	elif [[ -n $restart ]]; then
		would "restart the Docker engine for ${restart#, }"
	elif [[ -n $reload ]]; then
		would "reload the Docker engine for ${reload#, }"
	fi
	tell_later
}

tell_later() {
	[[ -z $later || -n $restart ]] || note 'the engine keeps its port for metrics until its next restart; the firewall closes it'
}

# settings_fit: an engine that the settings were not made for may not start with them. A node that has them keeps running.
settings_fit() {
	local wrong
	if has_settings; then return 0; fi
	wrong=$(misfit)
	[[ -z $wrong ]] || refuse "$wrong, and may not start with these settings" 'install another engine, or change the range'
}

# kernel_settings compares the settings of the spec with the kernel's own, and with what is read after them at boot.
kernel_settings() {
	local key value now row
	while IFS='=' read -r key value; do
		key=${key// /} value=${value# }
		[[ -n $key ]] || continue
		now=$(sysctl -n "$key" 2>/dev/null) || now=''
		[[ ${now//[[:space:]]/ } == "$value" ]] || would "set $key to $value${now:+, from ${now//[[:space:]]/ }}"
		row=$(later "$key")
		[[ -z $row || ${row#*$'\t'} == "$value" ]] ||
			first_run "${row%%$'\t'*} sets $key to ${row#*$'\t'}, which is read after $sysctl_conf: $value would not survive a reboot" "take it out of ${row%%$'\t'*}"
	done <<<"$kernel"
}

# keep_kernel remembers the kernel's settings as they were before skep's, for undo: those of the keys that an installed file of
# skep's has not set yet.
keep_kernel() {
	local key now
	while IFS='=' read -r key _; do
		key=${key// /}
		if [[ -z $key ]] || grep -qs "^$key = " "$kept/sysctl.before" "$sysctl_conf"; then continue; fi
		if now=$(sysctl -n "$key" 2>/dev/null); then printf '%s = %s\n' "$key" "${now//[[:space:]]/ }" >>"$kept/sysctl.before"; fi
	done <<<"$kernel"
}

# give_back_kernel sets them again.
give_back_kernel() {
	local row
	[[ -e $kept/sysctl.before ]] || return 0
	while IFS= read -r row; do sysctl --quiet --write "${row/ = /=}" || note "$row could not be set again"; done <"$kept/sysctl.before"
	rm -f -- "$kept/sysctl.before"
}

# later KEY prints the last file that sets the key after skep's at boot, a tab, and the value.
later() {
	local file
	for file in {/etc,/run,/usr/local/lib,/usr/lib,/lib}/sysctl.d/*.conf; do
		if [[ -r $file && ${file##*/} > ${sysctl_conf##*/} ]]; then printf '%s\t%s\n' "${file##*/}" "$file"; fi
	done | sort | cut -f 2 | while IFS= read -r file; do
		sed -nE 's/[[:space:]]+/ /g; s/^ ?-? ?([^ =]+) ?= ?(.*[^ ]) ?$/\1\t\2/p' "$file" | while IFS=$'\t' read -r key value; do
			[[ ${key//\//.} != "$1" ]] || printf '%s\t%s\n' "$file" "$value"
		done
	done | tail -n 1
}

apply() {
	keep_kernel
	put engine/sysctl.conf "$sysctl_conf" 0644
	sysctl --quiet --load "$sysctl_conf"
	make_settings
	# What an older skep kept is kept in today's form, while it still says what the engine runs with.
	if [[ -n $(ran) ]]; then keep_running < <(ran); fi
	# A run that was killed behind this line has left settings that no engine has started with.
	if [[ ! -e $kept/last || $(ran | sort) == "$(on_disk | sort)" ]]; then remember "$daemon_json" "$drop_in"; fi
	local reload restart later anew
	effects
	place "$kept/daemon.json" "$daemon_json" 0644
	members <<<"$daemon" | cut -f 1 >"$kept/daemon.keys"
	put engine/docker.service.conf "$drop_in" 0644
	systemctl daemon-reload
	systemctl enable --quiet docker.service
	if [[ -n $restart ]] || ! engine_up; then
		restart_engine
	elif [[ -n $reload ]]; then
		systemctl reload docker.service
	fi
	tell_later
	keep_running < <(on_disk)
}

# keep_running replaces the record by stdin; a crash leaves either of the two.
keep_running() {
	cat >"$running.new"
	mv -f -- "$running.new" "$running"
}

restart_engine() {
	local before
	before=$(swarm_state) || before=''
	# Restarts that failed before must not count: systemd would refuse the next one.
	systemctl reset-failed docker.service 2>/dev/null || true
	systemctl restart docker.service || fall_back
	wait_for 60 'the engine to answer' engine_up
	[[ $before != active ]] || wait_for 120 'the node to be back in the swarm' back
}

# remember PATH...: as they are, or that there is none.
remember() {
	local path
	rm -rf -- "$kept/last.new"
	for path; do
		mkdir -p "$(dirname "$kept/last.new$path")"
		[[ ! -e $path ]] || cp -a -- "$path" "$kept/last.new$path"
	done
	rm -rf -- "$kept/last"
	mv -- "$kept/last.new" "$kept/last"
}

# fall_back starts the engine with the settings that it had: a node without an engine serves nobody.
fall_back() {
	local words path outcome='it runs with the settings that it had'
	words=$(last_words docker.service)
	for path in "$daemon_json" "$drop_in"; do
		if [[ -e $kept/last$path ]]; then cp -a -- "$kept/last$path" "$path"; else rm -f -- "$path"; fi
	done
	systemctl daemon-reload
	systemctl reset-failed docker.service 2>/dev/null || true
	systemctl restart docker.service || outcome='nor does it with the settings that it had'
	refuse "the engine does not start with its new settings; $outcome. Its last words:" "$words"
}

back() {
	local now
	now=$(swarm_state) || now=''
	[[ $now != locked ]] || refuse "$host is locked: engine.autolock" "type \"docker swarm unlock\" on $host, then run again"
	[[ $now == active ]]
}

verify() {
	engine_up || refuse 'the engine does not answer'
	nothing_left 'the engine does not run with its settings'
	[[ $role == manager ]] || return 0
	# The API must want a client certificate: without one no answer may come.
	wait_for 30 "the API on port $api_port" listening
	if has curl && curl --silent --max-time 5 --cacert "$tls_directory/ca.pem" "https://localhost:$api_port/_ping" >/dev/null; then
		refuse "the API on port $api_port answers without a client certificate"
	fi
}

listening() { ss -H -ltn "sport = :$api_port" | grep . >/dev/null; }

undo() {
	take_back "$sysctl_conf"
	give_back_kernel
	leave_own
	take_back "$daemon_json"
	take_back "$drop_in"
	rm -rf -- "$running" "$kept/last" "$kept/daemon.json" "$kept/daemon.keys"
	systemctl daemon-reload
	systemctl restart docker.service
}
