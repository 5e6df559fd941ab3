# daemon.json of a node: the keys of the spec, and the keys of the node's own that are none of skep's. What somebody set
# before skep came is kept, or named, or refused; none of it is thrown away unsaid.

# members prints "KEY<tab>VALUE" for each member of the JSON object on stdin, with the white space between words taken out.
# Fails for what is no object.
members() {
	awk '
	function tell() { if (key !~ /^".*"$/ || word == "") bad = 1; else out = out substr(key, 2, length(key) - 2) "\t" word "\n"; key = word = "" }
	{ text = text $0 "\n" }
	END {
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			if (quoted) {
				word = word c
				if (c == "\\") word = word substr(text, ++i, 1)
				else if (c == "\"") quoted = 0
			} else if (c ~ /[ \t\r\n]/) continue
			else if (c == "{" && depth == 0 && ! begun) { begun = depth = 1 }
			else if (depth == 0) bad = 1
			else if (c == "}" && depth == 1) { depth = 0; if (key != "" || word != "") tell() }
			else if (c == ":" && depth == 1 && key == "") { key = word; word = "" }
			else if (c == "," && depth == 1) tell()
			else {
				word = word c
				if (c == "\"") quoted = 1
				if (c ~ /[[{]/) depth++
				if (c ~ /[]}]/) depth--
			}
		}
		if (bad || ! begun || depth || quoted) exit 1
		printf "%s", out
	}'
}

# keys_of_skep prints the keys that the spec sets, and those that an earlier bundle set here.
keys_of_skep() {
	members <<<"$daemon" | cut -f 1
	if [[ -e $kept/daemon.keys ]]; then
		cat -- "$kept/daemon.keys"
	elif [[ -e $kept/owned$daemon_json ]]; then
		printf '%s\n' "${daemon_keys[@]}"
	fi
}

# own_members prints what the node itself has set, sorted.
own_members() {
	local key value ours
	[[ -s $daemon_json ]] || return 0
	ours=$'\n'$(keys_of_skep)$'\n'
	while IFS=$'\t' read -r key value; do
		[[ $ours == *$'\n'"$key"$'\n'* ]] || printf '%s\t%s\n' "$key" "$value"
	done < <(members <"$daemon_json") | sort
}

# merged prints daemon.json as it has to be here. Where the node has no keys of its own it is the bundle's file.
merged() {
	local key value
	printf '%s' "${daemon%$'\n}'}"
	while IFS=$'\t' read -r key value; do printf ',\n  "%s": %s' "$key" "$value"; done < <(own_members)
	printf '\n}\n'
}

has_settings() { [[ -f $daemon_json && $(<"$daemon_json") == "$(merged)" ]]; }

# changed_keys HAVE WANT PREFIX tells what becomes of the members of an object, but for those that stay the node's own. What is lost is named
# without its value, which may be a token.
changed_keys() {
	local key value
	local -A want=()
	while IFS=$'\t' read -r key value; do want[$key]=$value; done < <(members <<<"$2")
	while IFS=$'\t' read -r key value; do
		if [[ -z ${want[$key]:-} ]]; then
			if [[ -n $3 || $'\n'$(keys_of_skep)$'\n' == *$'\n'"$key"$'\n'* ]]; then would "lose $3$key"; fi
		elif [[ $value == '{'* && ${want[$key]} == '{'* ]]; then
			changed_keys "$value" "${want[$key]}" "$3$key."
		elif [[ $value != "${want[$key]}" ]]; then
			would "change $3$key from $value to ${want[$key]}"
		fi
	done < <(members <<<"$1")
}

# tell_settings tells what apply makes of daemon.json.
tell_settings() {
	local own flag
	for flag in "${lost[@]}"; do would "lose $flag of dockerd's command line"; done
	if has_settings; then return 0; fi
	would "install $daemon_json"
	[[ -s $daemon_json ]] || return 0
	changed_keys "$(<"$daemon_json")" "$daemon" ''
	own=$(own_members | cut -f 1 | tr '\n' ' ')
	[[ -z $own ]] || note "$daemon_json keeps what is this node's own: ${own% }"
	[[ -e $kept/owned$daemon_json ]] || note "$daemon_json was not written by skep: a copy stays as $daemon_json.before-skep"
}

# make_settings writes them where apply takes them from, and lets an engine that can look at them.
make_settings() {
	merged >"$kept/daemon.json"
	if dockerd --help 2>/dev/null | grep -- --validate >/dev/null; then
		dockerd --validate --config-file "$kept/daemon.json"
	fi
}

# settings_of_others refuses what decides where the engine's data is: with another place or form the engine would start
# empty, and nobody can say it in the spec yet. And what a swarm cannot live with.
settings_of_others() {
	local key value row
	if [[ -s $daemon_json ]]; then
		row=$(members <"$daemon_json") || refuse "$daemon_json is not a JSON object" 'correct it, or move it away'
		while IFS=$'\t' read -r key value; do moves_data "$key" "$value" "$daemon_json"; done <<<"$row"
	fi
	command_lines
}

# moves_data KEY VALUE WHERE
moves_data() {
	local bare=${2//\"/}
	case $1 in
	data-root | graph | g) [[ $bare != "$docker_directory" ]] || return 0 ;;
	# What every engine takes by itself.
	storage-driver | s) [[ $bare != overlay2 ]] || return 0 ;;
	userns-remap) [[ -n $bare ]] || return 0 ;;
	features) [[ $2 == *'"containerd-snapshotter":true'* ]] || return 0 ;;
	live-restore | iptables)
		[[ $1 != live-restore || $bare != true ]] || refuse "$3 sets live-restore, and a swarm refuses engines that have it" 'take it out there'
		[[ $1 != iptables || $bare != false ]] || refuse "$3 turns iptables off, and no published port or overlay works without" 'take it out there'
		return 0
		;;
	*) return 0 ;;
	esac
	refuse "$3 sets $1 to $bare: it decides where the engine's data is, and the spec cannot say it yet" \
		"nothing was changed; move the data to what Docker has without it ($docker_directory, overlay2) and take it out there, or leave this node out of the spec"
}

# command_lines looks at how others start dockerd. What comes before skep's drop-in is replaced by it, and named; what comes
# after would replace it.
command_lines() {
	local file command last='' from='' after=no
	lost=()
	while IFS=$'\t' read -r file command; do
		if [[ $file == "$drop_in" ]]; then
			after=yes
			continue
		fi
		[[ $after == no ]] || refuse "$file starts dockerd with a command of its own, after $drop_in: what daemon.json says would not hold, or stop the engine" "take ExecStart out of $file"
		last=$command from=$file
	done < <(systemctl cat docker.service 2>/dev/null | awk '
		{ line = line $0 }
		/\\$/ { sub(/\\$/, " ", line); next }
		line ~ /^# \// { file = substr(line, 3) }
		line ~ /^ExecStart=./ { print file "\t" substr(line, 11) }
		{ line = "" }')
	is_installed engine/docker.service.conf "$drop_in" || lost_flags "$last" "$from"
}

# lost_flags COMMAND FILE fills lost with the flags that skep's drop-in takes away.
lost_flags() {
	local words=() word flag value i
	# Debian's unit has more flags in a file.
	word=$(sed -n 's/^DOCKER_OPTS=//p' /etc/default/docker 2>/dev/null | tr -d "\"'") || word=''
	read -r -a words <<<"${1//\$DOCKER_OPTS/$word}"
	for ((i = 1; i < ${#words[@]}; i++)); do
		flag=${words[i]%%=*} value=${words[i]#*=}
		[[ $flag == -* ]] || continue
		if [[ ${words[i]} != *=* ]]; then value=${words[i + 1]:-}; fi
		case "$flag $value" in
		'-H fd://' | '--host fd://' | '--containerd /run/containerd/containerd.sock') continue ;;
		esac
		lost+=("$flag")
		flag=${flag#-}
		moves_data "${flag#-}" "$value" "$2"
	done
}

# leave_own: what the node itself has set since then outlives skep.
leave_own() {
	local own
	own=$(own_members | sed 's/^\([^\t]*\)\t\(.*\)/  "\1": \2,/')
	if [[ -n $own && ! -e $daemon_json.before-skep ]]; then printf '{\n%s\n}\n' "${own%,}" >"$daemon_json.before-skep"; fi
}
