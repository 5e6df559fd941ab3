# The nft backend: one table of its own, replaced in one transaction.

readonly tool=nft

# check_rules FILE: refuses what the kernel would, and a file that would touch more than the table.
check_rules() {
	grep -qx 'table inet skep {' "$1" || die "$1: no table inet skep: is it a ruleset of this bundle?"
	if grep -Eqv '^(#.*|(delete )?table inet skep|table inet skep [{]|[}]|[[:blank:]].*|)$' "$1" || grep -Eq '^[[:blank:]]*(flush|include)' "$1"; then
		die "$1: touches more than table inet skep"
	fi
	grep -q '^[[:blank:]].*policy drop;' "$1" || die "$1: lets everything in: is it a whole ruleset?"
	nft -c -f "$1" || die "$1: nft refuses it"
}

# write_closed DIR: the closed minimum, named as the installed rules.
write_closed() { printf '%s\n' "${closed[@]}" >"$1/${installed[0]##*/}"; }

# expect_rules FILE: what this nft lists for the rules. Versions differ, so it is asked in an empty network namespace.
expect_rules() {
	# shellcheck disable=SC2016 # the inner shell expands its own arguments
	unshare --net sh -c 'nft -f "$1" && nft --stateless list table inet skep' sh "$1" | lasting
}

list_rules() { nft --stateless list table inet skep | lasting; }

# lasting leaves out the elements that the kernel adds to dynamic sets by itself.
lasting() {
	awk '
		/^\t(set|map) / { dynamic = 0 }
		/^\t\tflags .*dynamic/ { dynamic = 1 }
		/^\t}/ { dynamic = 0; elements = 0 }
		dynamic && /^\t\telements = / { elements = 1 }
		!elements
	'
}

# save_rules DIR: writes what brings the loaded table back; without one, what removes it again.
save_rules() {
	{
		echo 'table inet skep'
		echo 'delete table inet skep'
		if loaded; then list_rules; fi
	} >"$1/rules.nft"
}

restore_rules() { nft -f "$1/rules.nft"; }

# openings FILE: who may connect to which ports, as rows "open FAMILIES PROTOCOL FIRST LAST SOURCE" and "source NAME PREFIX".
openings() {
	awk '
		{ sub(/ comment ".*/, "") }
		$1 == "set" { set = $2; chain = "" }
		$1 == "chain" { chain = $2; set = "" }
		set != "" && $1 ~ /^[0-9a-f:.]+(\/[0-9]+)?,?$/ && $1 ~ /[:.]/ {
			sub(",", "", $1)
			elements[set] = elements[set] " " $1
		}
		chain ~ /^from_/ && / accept/ {
			if ($0 ~ /nfproto ipv4/) print "source", chain, "0.0.0.0/0"
			if ($0 ~ /nfproto ipv6/) print "source", chain, "::/0"
			if (match($0, /saddr @[^ ]+/)) {
				n = split(elements[substr($0, RSTART + 7, RLENGTH - 7)], prefix, " ")
				for (i = 1; i <= n; i++) print "source", chain, prefix[i]
			}
		}
		# Only what ends here opens: chains that are jumped to refuse, or go on.
		chain == "prerouting" && ($1 == "tcp" || $1 == "udp") && $2 == "dport" && / (accept|goto from_[^ ]+)$/ {
			source = $NF == "accept" ? "any" : $NF
			for (i = 3; i <= NF && $i !~ /^(accept|goto)$/; i++)
				if (split($i, range, /[-,]/) && range[1] ~ /^[0-9]+$/) print "open", "46", $1, range[1], range[2] == "" ? range[1] : range[2], source
		}
	' "$1"
}
