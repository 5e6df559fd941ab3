# Rules of others: those that drop what the cluster needs, and what would wipe rules away. A packet has to pass every table:
# no rule of skep's or Docker's brings back what another one drops.

rules_of_others() {
	flushing
	has nft || return 0
	local -A wide=() policy=() hook=() accepted=()
	local chain
	read_rules
	for chain in "${!policy[@]}"; do closed "$chain"; done
}

# flushing: what wipes rules at boot.
flushing() {
	local files=(/etc/nftables.conf) file
	if systemctl is-enabled --quiet nftables.service 2>/dev/null; then
		# shellcheck disable=SC2207 # patterns of include
		[[ ! -r ${files[0]} ]] || files+=($(sed -n 's/^[[:space:]]*include[[:space:]]*"\(.*\)".*/\1/p' "${files[0]}"))
		# Debian's own file begins with it: it would wipe Docker's rules and ours.
		file=$(grep -lsE '^[[:space:]]*flush[[:space:]]+ruleset' "${files[@]}" | head -n 1) || true
		[[ -z $file ]] || refuse "nftables.service is enabled and $file flushes every rule, Docker's too" \
			"systemctl disable nftables.service, or take \"flush ruleset\" out of $file"
	fi
	file=$(grep -lsE '^[^#]*(flush[[:space:]]+ruleset|ip6?tables (-w )?(-t [a-z]+ )?(-F|--flush)([[:space:]]|$))' /etc/rc.local /etc/network/if-*.d/* /etc/NetworkManager/dispatcher.d/* /etc/systemd/system/*.service /etc/cron.d/* | head -n 1) || true
	[[ -z $file ]] || note "$file flushes rules, Docker's or skep's may be among them"
	if systemctl is-enabled --quiet netfilter-persistent.service 2>/dev/null; then
		file=$(grep -lsE '^:(DOCKER|SKEP)' /etc/iptables/rules.v4 /etc/iptables/rules.v6 | head -n 1) || true
		[[ -z $file ]] || note "netfilter-persistent brings back at boot what $file has of Docker's and skep's rules, as they were then: take these out of it"
	fi
}

# read_rules fills policy and hook by base chain of others, accepted with the ports that each names, and wide where a rule
# lets in more than one can tell here.
read_rules() {
	local table name at rest chain
	while IFS=$'\t' read -r table name at rest; do
		# What Docker and skep manage themselves.
		[[ $table != 'inet skep' && $table != *docker* && "$table $name" != ip*' filter FORWARD' && $name != SKEP* && $name != DOCKER* ]] || continue
		chain="$table $name"
		hook[$chain]=$at
		case $rest in
		'policy '*) policy[$chain]=${rest#policy } ;;
		*) rule "$chain" "$rest" ;;
		esac
	done < <(nft -s list ruleset 2>/dev/null | awk '
		/^table / { table = $2 " " $3 }
		/^\tchain / { chain = $2; hook = "" }
		/^\t\ttype filter hook (input|prerouting|forward) / {
			hook = $4; policy = "accept"
			if (match($0, /policy [a-z]+/)) policy = substr($0, RSTART + 7, RLENGTH - 7)
			print table "\t" chain "\t" hook "\tpolicy " policy
			next
		}
		/^\t}/ { hook = "" }
		hook != "" { sub(/^\t\t/, ""); print table "\t" chain "\t" hook "\t" $0 }')
}

# rule CHAIN RULE
rule() {
	local port ports
	ports=$(sed -nE 's/.*(tcp|udp) dport (!= )?(\{[^}]*\}|[^ ]+).*/\1 \2\3/p' <<<"$2" | tr -d '{},')
	case $2 in
	*established* | *'iif "lo"'* | *'iifname "lo"'* | *icmp* | *' saddr '*drop* | *' saddr '*reject*) return 0 ;;
	*accept* | *jump* | *goto* | *vmap* | *' queue'*)
		if [[ -z $ports || $ports == *@* || $ports == *!=* ]]; then wide[$1]=1; else accepted[$1]+=" $ports;"; fi
		;;
	*drop* | *reject*)
		# One that looks at more than the port may mean somebody else.
		[[ $2 =~ ^(meta\ l4proto\ (tcp|udp)\ )?(tcp|udp)\ dport\ (\{[^}]*\}|[0-9-]+)\ (counter\ )?(packets\ [0-9]+\ bytes\ [0-9]+\ )?(drop|reject) && -z ${wide[$1]:-} ]] || return 0
		port=$(needed " $ports;")
		[[ -z $port ]] || refuse "a rule of table ${1% *}, chain ${1##* }, drops $port, which the cluster needs: $2" 'take the rule away, also where it is loaded from at boot'
		;;
	esac
}

# needed PORTS [not] prints the first port of this host's that is among them, or that is not. PORTS are " udp 53 4000-4100;"...
needed() {
	local row proto port group
	for row in "${listeners[@]}"; do
		read -r proto port group <<<"$row"
		[[ " all ${role}s $host $duties " == *" $group "* ]] || continue
		if among "$proto" "$port" "$1"; then [[ -z ${2:-} ]] || continue; else [[ -n ${2:-} ]] || continue; fi
		printf '%s/%s' "$port" "$proto"
		return
	done
}

# among PROTO PORT PORTS
among() {
	local list word words=()
	IFS=';' read -r -a words <<<"$3"
	for list in "${words[@]}"; do
		[[ $list == " $1 "* ]] || continue
		for word in ${list# "$1"}; do
			[[ $word =~ ^[0-9]+(-[0-9]+)?$ ]] || continue
			if ((${word%-*} <= $2 && $2 <= ${word#*-})); then return 0; fi
		done
	done
	return 1
}

# closed CHAIN: one that drops what it does not accept.
closed() {
	local port where="table ${1% *}, chain ${1##* },"
	[[ ${policy[$1]} == drop ]] || return 0
	if [[ -n ${wide[$1]:-} ]]; then
		note "$where drops what it does not accept: it has to let in what the nodes, and those of access, may reach"
		return
	fi
	if [[ ${hook[$1]} == forward ]]; then
		refuse "$where drops what is passed on: no container would reach anything" 'take the table away, also where it is loaded from at boot: the firewall of skep has rules for that'
	fi
	port=$(needed "${accepted[$1]:-}" not)
	[[ -z $port ]] || refuse "$where drops what it does not accept, and does not accept $port" 'take the table away, also where it is loaded from at boot: the firewall of skep takes its place'
}
