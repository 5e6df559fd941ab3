# Cutting: rules judge new connections only, so those that the new rules refuse are ended when somebody has confirmed them.

# cut_refused FILE...: never a flush. Only entries that were made towards this node, by others, to ports that the rules
# in the files close to them.
cut_refused() {
	local family proto from to sport dport device cut=0 example=''
	if ! command -v conntrack >/dev/null; then
		say "note: no conntrack command, so connections that the new rules refuse last until they end by themselves: install the package conntrack"
		return
	fi
	while read -r family proto from to dport sport; do
		# Containers have rules of their own.
		device=$(ip -o route get "$from" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p') || continue
		if [[ $device == lo ]] || is_bridge "$device"; then continue; fi
		conntrack -D -f "$family" -p "$proto" --orig-src "$from" --orig-dst "$to" --dport "$dport" ${sport:+--sport "$sport"} >/dev/null 2>&1 || continue
		# A server that speaks first would bring the entry back, as one of its own.
		if [[ $family == ipv6 ]]; then from="[$from]"; fi
		ss -K -H "--$proto" dst "$from" sport = "$dport" ${sport:+dport = "$sport"} >/dev/null 2>&1 || true
		cut=$((cut + 1))
		example="from $from to port $dport/$proto"
	done < <(refused "$@")
	if ((cut > 1)); then example+=", and $((cut - 1)) more such"; fi
	if ((cut)); then say "cut connections that the new rules refuse: $example"; fi
}

# refused FILE...: prints the tracked connections to this node that the rules refuse: family, protocol, from, to, port.
# Where the connection that tried or confirmed the rules is among those of a line, each other has a line with its own port.
refused() {
	{
		openings "$@"
		ip -o address show | awk '{ sub("/.*", "", $4); print "local", $4 }'
		conntrack -L -f ipv4 2>/dev/null | sed 's/^/ipv4 /' || true
		conntrack -L -f ipv6 2>/dev/null | sed 's/^/ipv6 /' || true
	} | awk -v tried="$(<"$state/connection")" -v confirmed="${SSH_CONNECTION:-}" '
		function binary(n, width,    out) {
			for (; width > 0; width--) { out = n % 2 out; n = int(n / 2) }
			return out
		}
		function hex(s,    i, n) {
			for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return n
		}
		# bits writes an address as ones and zeros.
		function bits(a,    part, head, tail, h, t, i, out) {
			if (a !~ /:/) {
				split(a, part, ".")
				return binary(part[1], 8) binary(part[2], 8) binary(part[3], 8) binary(part[4], 8)
			}
			a = tolower(a)
			i = index(a, "::")
			h = split(i ? substr(a, 1, i - 1) : a, head, ":")
			t = i ? split(substr(a, i + 2), tail, ":") : 0
			for (i = 1; i <= h; i++) out = out binary(hex(head[i]), 16)
			for (i = h + t; i < 8; i++) out = out binary(0, 16)
			for (i = 1; i <= t; i++) out = out binary(hex(tail[i]), 16)
			return out
		}
		function within(source, address,    n, i, size) {
			if (source == "any") return 1
			n = split(sizes[source], size, " ")
			for (i = 1; i <= n; i++) if ((source, length(address), size[i], substr(address, 1, size[i])) in member) return 1
			return 0
		}
		function open(family, proto, port, address,    i) {
			for (i = 1; i <= rows; i++)
				if (families[i] ~ family && protos[i] == proto && firsts[i] <= port && port <= lasts[i] && within(froms[i], address)) return 1
			return 0
		}
		$1 == "open" { rows++; families[rows] = $2; protos[rows] = $3; firsts[rows] = $4 + 0; lasts[rows] = $5 + 0; froms[rows] = $6 }
		$1 == "source" {
			split($3, prefix, "/")
			full = bits(prefix[1])
			size = prefix[2] == "" ? length(full) : prefix[2]
			if (!(($2, size) in sized)) { sized[$2, size] = 1; sizes[$2] = sizes[$2] " " size }
			member[$2, length(full), size, substr(full, 1, size)] = 1
		}
		$1 == "local" { here[$2] = 1 }
		BEGIN {
			own[tried] = own[confirmed] = 1
			if (split(tried, end, " ") == 4) ours[end[1] " " end[3] " " end[4]] = 1
			if (split(confirmed, end, " ") == 4) ours[end[1] " " end[3] " " end[4]] = 1
		}
		/^ipv[46] (tcp|udp) / {
			from = to = sport = dport = ""
			for (i = 3; i <= NF && dport == ""; i++) {
				if ($i ~ /^src=/) from = substr($i, 5)
				if ($i ~ /^dst=/) to = substr($i, 5)
				if ($i ~ /^sport=/) sport = substr($i, 7)
				if ($i ~ /^dport=/) dport = substr($i, 7)
			}
			line = $1 " " $2 " " from " " to " " dport
			if ((from " " to " " dport) in ours) line = line " " sport
			if ((to in here) && !(from in here) && !((from " " sport " " to " " dport) in own) && !(line in told) && !open(substr($1, 4), $2, dport + 0, bits(from))) {
				told[line] = 1
				print line
			}
		}
	'
}
