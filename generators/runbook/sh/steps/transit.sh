# What this node passes on for others today: the rules refuse it until firewall.forward says it. Docker's own bridges and
# rules are none of that, nor is a node that forwards because Docker needs it.

transit() {
	sources
	guests
	masquerades
	routes
}

# peers_given prints, on the operator's machine, the function peers: the addresses of two nodes of each network, as far as its
# name tells, since a list of all on all would be a square.
peers_given() {
	local name peer list=$work/peers
	local -A seen=()
	if [[ ! -e $list ]]; then
		for name in "${inventory[@]}"; do
			peer=${inventory_address[$name]}
			seen[${peer%[.:]*}]+=x
			if [[ ${seen[${peer%[.:]*}]} != xxx* ]]; then printf '%s\n' "$peer"; fi
		done >"$list.$BASHPID"
		mv -f -- "$list.$BASHPID" "$list"
	fi
	printf "peers() {\n\tcat <<'SKEP'\n"
	cat -- "$list"
	printf 'SKEP\n}\n'
}

# sources: packets to the other nodes leave from the address that the spec names. From another one the firewalls of the others
# drop them, and an overlay carries nothing and says nothing. An address of the mesh is there once the step mesh has made it.
sources() {
	local peer from
	[[ -z ${mesh_device:-} ]] || return 0
	while IFS= read -r peer; do
		[[ $peer != "$address" ]] || continue
		from=$(ip -o route get "$peer" 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p') || from=''
		if [[ -n $from && $from != "$address" ]]; then
			first_run "packets to the node at $peer leave from $from, and nodes.$host.address is $address: overlays would carry nothing" \
				"give the route to it that source (ip route get $peer shows it), or correct nodes.$host.address"
			return
		fi
	done < <(peers)
}

# listed ON: whether a row for these nodes is one for this host.
listed() { [[ " all ${role}s $host " == *" $1 "* ]]; }

# ours INTERFACE: one that the rules know, of Docker or of skep.
ours() { is_like "$1" "${bridges[@]}" "${tunnels[@]}"; }

# number ADDRESS: an IPv4 address as a number.
number() {
	local a b c d
	IFS=. read -r a b c d <<<"$1"
	echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

# within NETWORK WIDER
within() {
	[[ $1 != "$2" ]] || return 0
	local bits=${2#*/} inner=${1#*/}
	if [[ $1$2 == *:* ]]; then
		[[ $1 == *:* && $2 == *:* ]] && ((bits == 0))
		return
	fi
	((inner >= bits)) || return 1
	((bits == 0 || $(number "${1%/*}") >> (32 - bits) == $(number "${2%/*}") >> (32 - bits)))
}

# named NETWORK INTERFACE: whether a row of firewall.forward passes on what comes from there.
named() {
	local row from device on
	for row in "${forward[@]}"; do
		read -r from device on <<<"$row"
		if listed "$on"; then
			[[ $device == - || $2 == - || $device == "$2" ]] || continue
			if [[ $from == */* ]] && within "$1" "$from"; then return 0; fi
		fi
	done
	return 1
}

# forwarding WHAT NETWORK INTERFACE WHY: refuses what no row names, with the row.
forwarding() {
	local device='' to=0.0.0.0/0 way_out='say it in the spec:'
	named "$2" "$3" && return 0
	[[ $3 == - ]] || device=" device: \"$3\","
	[[ $2 != *:* ]] || to=::/0
	[[ $2 != */0 ]] || way_out='take the rule away, or say it in the spec, with networks as narrow as they can be:'
	refuse "$1, which the firewall will refuse" \
		"$way_out firewall: forward: [{from: \"$2\", to: \"$to\",$device on: [\"$host\"], why: \"$4\"}]"
}

# joins DEVICE: whether a bridge joins this node to a network, by a card below it, also as a part of a VLAN or a bond; or
# carries the address of the spec.
joins() {
	compgen -G "/sys/class/net/$1/lower_*/device" >/dev/null || compgen -G "/sys/class/net/$1/lower_*/lower_*/device" >/dev/null ||
		[[ -n $(ip -o address show dev "$1" to "$address" 2>/dev/null) ]]
}

# docker_network DEVICE prints the name of Docker's network that has this bridge.
docker_network() {
	local ids
	has docker && engine_up || return 0
	mapfile -t ids < <(docker network ls --quiet --no-trunc --filter driver=bridge)
	((${#ids[@]})) || return 0
	docker network inspect --format '{{index .Options "com.docker.network.bridge.name"}} {{.Name}}' "${ids[@]}" | sed -n "s/^$1 //p"
}

# guests: bridges with an address of their own, as libvirt, LXD and Incus make them. One that the node itself goes out by
# joins it to its network, and passes on nothing.
guests() {
	local device network out name
	out=$({ ip -o route show default && ip -o -6 route show default; } 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
	while read -r device; do
		if ours "$device" || grep -qxF -- "$device" <<<"$out" || joins "$device"; then continue; fi
		name=$(docker_network "$device")
		[[ -z $name ]] || refuse "$device is the bridge of Docker's network $name, and the firewall would cut its containers off" \
			"add it in the spec: firewall: bridges: [\"$device\"]"
		while read -r network _; do
			[[ $network == fe80:* || $network != */* ]] || forwarding "$network are guests of this node, on $device" "$network" "$device" "guests on $device"
		done < <({ ip -o -4 route show dev "$device" scope link && ip -o -6 route show dev "$device"; } 2>/dev/null)
	done < <(ip -o link show type bridge 2>/dev/null | sed -n 's/^[0-9]*: \([^:@]*\).*/\1/p')
}

# masquerades: networks whose addresses somebody translates. What Docker does names its bridges, or one address twice.
masquerades() {
	local network table rule all
	while read -r all rule; do
		if docker_rule "$rule"; then continue; fi
		network=$(sed -n 's/.* -s \([^ ]*\).*/\1/p' <<<"$rule")
		forwarding "$(mean "${network:-$all}") (iptables: $rule)" "${network:-$all}" - 'behind this node'
	done < <({ translating iptables 0.0.0.0/0 && translating ip6tables ::/0; } 2>/dev/null)
	while read -r table rule; do
		# iptables' own tables were read above.
		if [[ $table == ip6/nat || $table == ip/nat ]] && has iptables-save || [[ $table == */docker* ]] || docker_rule "$rule"; then continue; fi
		network=$(sed -n 's/.*ip6\? saddr \([^ {]*\/[0-9]*\).*/\1/p' <<<"$rule")
		forwarding "$(mean "${network:-0.0.0.0/0}") (nft, table $table: $rule)" "${network:-0.0.0.0/0}" - 'behind this node'
	done < <({ has nft && nft list ruleset; } 2>/dev/null | awk '$1 == "table" { table = $2 "/" $3 } /masquerade|snat/ { $1 = $1; print table, $0 }' || true)
}

# translating COMMAND ALL prints its rules that translate senders, after the network of all addresses.
translating() { ! has "$1-save" || "$1-save" -t nat | sed -nE "/-j (MASQUERADE|SNAT)( |\$)/s|^|$2 |p"; }

mean() { if [[ $1 == */0 ]]; then echo 'addresses of others are translated on this node'; else echo "$1 is behind this node"; fi; }

# docker_rule RULE: whether it names a bridge of Docker, or is one of a container's with itself.
docker_rule() {
	local word source='' destination='' last='' before=''
	[[ $1 != *'-A DOCKER'* ]] || return 0
	for word in $1; do
		word=${word//\"/}
		case $last in
		-o | -i | oifname | iifname | '!=') if ours "$word"; then return 0; fi ;;
		-s) source=$word ;;
		-d) if [[ $before != ! ]]; then destination=$word; fi ;;
		esac
		before=$last last=$word
	done
	[[ -n $source && $source == "$destination" ]]
}

# routes: forwarding that somebody else turned on, between two links or more.
routes() {
	routing 4 0.0.0.0/0 'net[./]ipv4[./](ip_forward|conf[./]all[./]forwarding)' /proc/sys/net/ipv4/ip_forward
	routing 6 ::/0 'net[./]ipv6[./]conf[./]all[./]forwarding' /proc/sys/net/ipv6/conf/all/forwarding
}

# family NETWORK
family() { if [[ $1 == *:* ]]; then echo 6; else echo 4; fi; }

# routing FAMILY ALL SETTING NOW: a row of the family names it.
routing() {
	local by='' device links=() row from on
	for row in "${forward[@]}"; do
		read -r from _ on <<<"$row"
		if listed "$on" && [[ $from != */* || $(family "$from") == "$1" ]]; then return 0; fi
	done
	by=$(grep -lsE "^[[:space:]]*$3[[:space:]]*=[[:space:]]*1" /etc/sysctl.conf /etc/sysctl.d/*.conf | grep -vxF -- "$sysctl_conf" | head -n 1 || true)
	if [[ -z $by ]] && ! has dockerd && [[ $(cat "$4" 2>/dev/null) == 1 ]]; then by='a setting of this machine'; fi
	[[ -n $by ]] || return 0
	while read -r device; do
		ours "$device" || links+=("$device")
	done < <(ip -o "-$1" address show scope global up 2>/dev/null | awk '{print $2}' | sort -u)
	((${#links[@]} > 1)) || return 0
	refuse "this node may route IPv$1 between ${links[*]} ($by turns forwarding on), which the firewall will refuse" \
		"name what it passes on, such as firewall: forward: [{from: \"$2\", to: \"$2\", on: [\"$host\"], why: \"routes for a site\"}], or take the setting away: skep has one of its own for Docker"
}

# redundancy: keepalived on two machines that do not hear each other are two masters.
redundancy() {
	local on
	has keepalived && systemctl is-active --quiet keepalived.service 2>/dev/null || return 0
	for on in "${vrrp[@]}"; do
		if listed "$on"; then return 0; fi
	done
	refuse 'keepalived runs here, and the firewall will refuse VRRP' \
		"say it in the spec: exposures: vrrp: {proto: \"vrrp\", on: [\"$host\"], from: [\"cluster\"], why: \"keepalived\"}, with the other nodes that run it"
}
