# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# Which nodes and zones there are: those of cluster.cue beside this file, or of the bundle that `lab up` was given.
# They are kept as rows, for the verbs that follow:
#
#	node NAME USER PORT ADDRESS...
#	zone NAME ADDRESS...

declare -A nodes=() login=() sshd=() zones=() spare=()

# cluster reads the rows.
cluster() {
	local kind name rest
	while read -r kind name rest; do
		case $kind in
		node)
			read -r "login[$name]" "sshd[$name]" "nodes[$name]" <<<"$rest"
			;;
		spare)
			# In no swarm until a spec names it.
			read -r "login[$name]" "sshd[$name]" "nodes[$name]" <<<"$rest"
			spare[$name]=yes
			;;
		zone) zones[$name]=$rest ;;
		esac
	done < <(if [[ -e $work/cluster ]]; then cat -- "$work/cluster"; else own_cluster; fi)
}

# own_cluster prints the rows of the lab's own spec. The neighbour sits on the nodes' own wire and belongs to no zone.
own_cluster() {
	sed -n 's/^\t\t\([a-z][a-z0-9]*\): {address: "\([0-9.]*\)".*/node \1 root 22 \2/p' "$here/cluster.cue"
	cat <<-'END'
		spare w3 root 22 10.77.0.14
		zone management 10.78.1.2
		zone nuvla 10.78.2.2
		zone users 10.78.3.2
		zone neighbour 10.77.0.99
	END
}

# take_cluster PATH makes the rows of a bundle, or of a spec, which is compiled first.
take_cluster() {
	local path=$1 rows
	if [[ ! -e $path/MANIFEST ]]; then
		tools go:golang
		rm -rf -- "$work/bundle"
		(cd "$here/../.." && go run ./cmd/skep build "$(realpath -- "$path")" -o "$work/bundle") >&2 || die 1 "$path: the spec does not compile"
		say "the bundle is $work/bundle"
		path=$work/bundle
	fi
	rows=$(node_rows "$path" && zone_rows "$path") || die 1 "$path: the bundle names no nodes or no zones"
	if [[ $rows != "$(cat -- "$work/cluster" 2>/dev/null)" ]]; then
		if [[ -e $work/nodes ]] && ! grown "$rows"; then die 3 'the lab is up with other nodes: lab down'; fi
		printf '%s\n' "$rows" >"$work/cluster.partial"
		mv -- "$work/cluster.partial" "$work/cluster"
	fi
	nodes=() login=() sshd=() zones=() spare=()
	cluster
}

# grown ROWS: whether they are those that there are, and more.
grown() {
	local row
	[[ -e $work/cluster ]] || return 1
	while read -r row; do grep -qxF -- "$row" <<<"$1" || return 1; done <"$work/cluster"
}

# node_rows BUNDLE: the runbook's inventory has each node's address in the swarm and the one for ssh; with a mesh the
# first is inside of it, and the mesh's own configuration knows where the node is.
node_rows() {
	local bundle=$1 mesh=''
	if [[ -e $bundle/vpn/mesh.conf ]]; then mesh=$bundle/vpn/mesh.conf; fi
	awk -F '\t' '
		FILENAME ~ /mesh\.conf$/ {
			if ($0 ~ /^# nodes\./) { name = substr($0, 9) }
			if ($0 ~ /^AllowedIPs = /) { split(substr($0, 14), part, "/"); inside[part[1]] = 1 }
			if ($0 ~ /^Endpoint = /) { end = substr($0, 12); sub(/:[0-9]+$/, "", end); gsub(/[][]/, "", end); outside[name] = end }
			next
		}
		/^# name\t/ { sub(/^# /, ""); for (i = 1; i <= NF; i++) column[$i] = i; next }
		/^#/ { next }
		{
			name = $column["name"]
			list = ""; split("", has)
			n = split($column["address"] " " outside[name] " " $column["ssh"], each, " ")
			for (i = 1; i <= n; i++) if (!(each[i] in inside) && !(each[i] in has)) { has[each[i]] = 1; list = list " " each[i] }
			print "node " name " " $column["user"] " " $column["port"] list
			found = 1
		}
		END { exit !found }
	' ${mesh:+"$mesh"} "$bundle/runbook/hosts"
}

# zone_rows BUNDLE: one machine for each zone of the README's table, at the first addresses that it has of each family.
zone_rows() {
	local bundle=$1 name networks network list four six
	while IFS='|' read -r _ name networks _; do
		name=${name// /} four='' six=''
		for network in ${networks//,/ }; do
			case $network in
			*.*/*) four=${four:-$(machine_of "$network")} ;;
			*:*/*) six=${six:-$(machine_of "$network")} ;;
			esac
		done
		list="$four $six"
		[[ $list == ' ' ]] || printf 'zone %s %s\n' "$name" "$(xargs <<<"$list")"
	done < <(sed -n '/^| zone | addresses |/,/^$/p' "$bundle/README.md" | grep -vE '^\| (zone|---|cluster|containers) ')
	printf 'zone neighbour %s\n' "$(neighbour "$(node_rows "$bundle" | cut -d' ' -f5-)")"
}

# machine_of NETWORK prints the address that its only machine has here: the second, or the network's one.
machine_of() {
	local address=${1%/*} bits=${1#*/}
	case $address in
	0.0.0.0) printf '198.18.78.2\n' ;; # anybody
	::) printf '2001:db8:ffff::2\n' ;;
	*.*)
		if ((bits > 30)); then printf '%s\n' "$address"; else printf '%s.%d\n' "${address%.*}" $((${address##*.} + 2)); fi
		;;
	*::) printf '%s2\n' "$address" ;;
	*) printf '%s\n' "$address" ;;
	esac
}

# neighbour ADDRESSES: one for each family on the wire of the nodes, that none of them has.
neighbour() {
	local address host four='' six=''
	for address in $1; do
		if [[ $address == *.* && -z $four ]]; then
			for host in 99 98 97 96 95; do
				four=${address%.*}.$host
				grep -qwF -- "$four" <<<"$1" || break
			done
		elif [[ $address == *:* && -z $six ]]; then
			six=${address%:*}:9999
		fi
	done
	xargs <<<"$four $six"
}
