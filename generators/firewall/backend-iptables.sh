# The iptables backend: chains of its own in the mangle table. Each family is replaced at once; the two follow each other.

readonly tool=iptables-restore

check_rules() {
	local command
	command=$(family_of "$1")
	if ! wanted "$command"; then return 0; fi
	grep -q '^:SKEP - ' "$1" || die "$1: no chain SKEP: is it a ruleset of this bundle?"
	if grep -Evq '^(#.*|\*mangle|:SKEP.*|-A SKEP.*|COMMIT|)$' "$1"; then
		die "$1: touches more than the chains of skep"
	fi
	[[ $(tail -n 1 "$1") == COMMIT ]] || die "$1: has no end: is it a whole ruleset?"
	"$command-restore" --test --noflush <"$1" || die "$1: $command-restore refuses it"
}

# write_closed DIR: the closed minimum, named as the installed rules.
write_closed() {
	printf '%s\n' "${closed4[@]}" >"$1/${installed[0]##*/}"
	printf '%s\n' "${closed6[@]}" >"$1/${installed[1]##*/}"
}

# expect_rules FILE...: what this iptables lists for the rules. Versions differ, so it is asked in an empty network
# namespace.
expect_rules() {
	local file command
	for file in "$@"; do
		command=$(family_of "$file")
		if ! wanted "$command"; then continue; fi
		# shellcheck disable=SC2016 # the inner shell expands its own arguments
		unshare --net sh -c '"$1-restore" -w --noflush <"$2" && "$1" -w -t mangle -A PREROUTING -j SKEP && "$1-save" -t mangle' sh "$command" "$file" |
			lasting "$command" || return 1
	done
}

list_rules() {
	local command
	for command in "${families[@]}"; do save_table "$command" | lasting "$command"; done
}

# lasting COMMAND: the chains of skep without counters, sorted by name, and what packets meet before them: rules of others
# may mark a packet there, but not let it past.
lasting() {
	awk -v command="$1" '
		/^:SKEP/ { print command, substr($1, 2) }
		/^-A SKEP/ { print command, $2, $0 }
		/^-A PREROUTING / && !reached && !/ -j (MARK|CONNMARK|CT|LOG|NFLOG|TRACE|DSCP|TOS|TTL|HL|TCPMSS|CLASSIFY)( |$)/ { print command, "PREROUTING", $0 }
		/^-A PREROUTING -j SKEP$/ { reached = 1 }
	' | LC_ALL=C sort -s -k 2,2
}

# save_rules DIR: writes the loaded chains, or nothing where there are none.
save_rules() {
	local command
	for command in "${families[@]}"; do
		if [[ -n $(own_chains "$command") ]]; then
			save_table "$command" | sed -n '/^\*mangle/p; /^:SKEP/p; /^-A SKEP/p; /^COMMIT/p'
		fi >"$1/$command"
	done
}

restore_rules() {
	local command
	for command in "${families[@]}"; do
		if [[ -s $1/$command ]]; then
			apply_family "$command" "$1/$command" || return 1
		else
			unload_family "$command" || return 1
		fi
	done
}

# openings FILE...: who may connect to which ports, as rows "open FAMILIES PROTOCOL FIRST LAST SOURCE" and "source NAME PREFIX".
openings() {
	local file family
	for file in "$@"; do
		family=4
		if [[ $file == *.v6.rules ]]; then family=6; fi
		awk -v family="$family" '
			function after(word,    i) {
				for (i = 1; i < NF; i++) if ($i == word) return $(i + 1)
			}
			$1 != "-A" { next }
			{ sub(/ --comment "[^"]*"/, "") }
			# Only what ends here opens: chains that are jumped to refuse, or go on.
			$2 == "SKEP" && after("--dport") != "" && after("--sport") == "" && ($(NF - 1) == "-g" || $NF == "RETURN") {
				split(after("--dport"), range, ":")
				print "open", family, after("-p"), range[1], range[2] == "" ? range[1] : range[2], $NF == "RETURN" ? "any" : $NF
			}
			$2 != "SKEP" && $NF == "RETURN" && after("--dport") == "" {
				prefix = after("-s")
				if (prefix != "") print "source", $2, prefix
				else if ($3 == "-j") print "source", $2, family == 4 ? "0.0.0.0/0" : "::/0"
			}
		' "$file"
	done
}
