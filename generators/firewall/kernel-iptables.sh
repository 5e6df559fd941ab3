# What the kernel has of the iptables backend.

# Families: a kernel without IPv6 has nothing to filter there.
families=(iptables)
if [[ -e /proc/net/if_inet6 ]]; then families+=(ip6tables); fi

# family_of FILE: the command that a file of rules is for.
family_of() {
	case $1 in
	*.v4.rules) echo iptables ;;
	*.v6.rules) echo ip6tables ;;
	*) die "$1: want a file that ends in .v4.rules or .v6.rules" ;;
	esac
}

wanted() { [[ " ${families[*]} " == *" $1 "* ]]; }

# save_table COMMAND: the table that our chains are in, as loaded. SKEP-VPN in it is no chain of the firewall: it comes and
# goes with the unit of the VPN's server.
save_table() { "$1-save" -t mangle | sed '/SKEP-VPN/d'; }

# own_chains COMMAND: the names of the loaded chains.
own_chains() { save_table "$1" | sed -n 's/^:\(SKEP[^ ]*\) .*/\1/p'; }

iptables_apply() {
	local file command
	for file in "$@"; do
		command=$(family_of "$file")
		if wanted "$command"; then apply_family "$command" "$file" || return 1; fi
	done
}

# apply_family COMMAND FILE: replaces the chains of FILE at once, hooks them in once, and drops chains of older rules.
apply_family() {
	local name old=()
	"$1-restore" -w --noflush <"$2" || return 1
	"$1" -w -t mangle -C PREROUTING -j SKEP 2>/dev/null || "$1" -w -t mangle -I PREROUTING 1 -j SKEP || return 1
	for name in $(own_chains "$1"); do
		if ! grep -q "^:$name " "$2"; then old+=("$name"); fi
	done
	drop_chains "$1" "${old[@]}"
}

unload_family() {
	local name all=()
	for name in $(own_chains "$1"); do all+=("$name"); done
	while "$1" -w -t mangle -D PREROUTING -j SKEP 2>/dev/null; do :; done
	drop_chains "$1" "${all[@]}"
}

# drop_chains COMMAND CHAIN...: all are emptied first, since they go to each other.
drop_chains() {
	local command=$1 name
	shift
	for name in "$@"; do "$command" -w -t mangle -F "$name" || return 1; done
	for name in "$@"; do "$command" -w -t mangle -X "$name" || return 1; done
}

iptables_loaded() {
	local command
	for command in "${families[@]}"; do
		"$command" -w -t mangle -C PREROUTING -j SKEP 2>/dev/null || return 1
	done
}

# iptables_left: any chain is there, also one that nothing leads to.
iptables_left() {
	local command
	for command in "${families[@]}"; do
		[[ -z $(own_chains "$command" 2>/dev/null) ]] || return 0
	done
	return 1
}

iptables_unload() {
	local command
	for command in "${families[@]}"; do unload_family "$command" || return 1; done
}
