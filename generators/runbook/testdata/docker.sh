# shellcheck shell=bash
# What stands in for docker: the state of the swarm is in $swarm, of the node in $NODE. Read by node.sh.

# format prints the argument after --format.
format() {
	while (($#)); do
		if [[ $1 == --format ]]; then
			printf '%s' "$2"
			return
		fi
		shift
	done
}

info() {
	local state=inactive control=false
	if [[ -e $NODE/member ]]; then
		state=active
		[[ $(<"$swarm/nodes/$(<"$NODE/member")") != *'role=manager'* ]] || control=true
	fi
	case $(format "$@") in
	'{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}') echo "$state $control" ;;
	'{{.Swarm.LocalNodeState}}') echo "$state" ;;
	'{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}') echo "$state $(cat "$NODE/member" 2>/dev/null)" ;;
	'{{.Swarm.NodeID}}') cat "$NODE/member" ;;
	'{{.Swarm.ControlAvailable}}') echo "$control" ;;
	'{{.Swarm.NodeAddr}}') if [[ -e $swarm/moved && $NODE == *.12 ]]; then cat "$swarm/moved"; elif [[ -e $NODE/member ]]; then sed s/^id// "$NODE/member"; fi ;;
	*DefaultAddrPool*) cat "$swarm/pool" ;;
	*DataPathPort*) cat "$swarm/port" ;;
	*AutoLock*) cat "$swarm/autolock" ;;
	esac
}

join() { # ADDRESS ROLE
	local id=id$1
	printf '%s' "$id" >"$NODE/member"
	printf 'address=%s\nrole=%s\nlabels=\n' "$1" "$2" >"$swarm/nodes/$id"
	mkdir -p /var/lib/docker/swarm/certificates
	certificate 90 >/var/lib/docker/swarm/certificates/swarm-node.crt
}

# certificate DAYS prints one that is signed by itself.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=recorded -days "$1" 2>/dev/null
}

swarm_init() {
	while (($#)); do
		case $1 in
		--advertise-addr) join "$2" manager ;;
		--default-addr-pool) pool=$2 ;;
		--default-addr-pool-mask-length) size=$2 ;;
		--data-path-port) echo "$2" >"$swarm/port" ;;
		--autolock=*) echo "${1#*=}" >"$swarm/autolock" ;;
		esac
		shift
	done
	echo "$pool $size" >"$swarm/pool"
	printf 'overlay swarm false false\n\n\n' >"$swarm/networks/ingress"
	echo "$RANDOM$RANDOM" >"$swarm/token"
	echo "To add a worker: docker swarm join --token SWMTKN-1-$(<"$swarm/token")-worker"
}

node() {
	local id file labels
	case $1 in
	ls)
		[[ ! -e $swarm/no-leader ]] || return 1
		for file in "$swarm"/nodes/*; do
			if [[ $* == *'{{.Status}}'* ]]; then
				if [[ -e $swarm/dead/${file##*/} ]]; then echo Down; else echo Ready; fi
			elif [[ $* != *ManagerStatus* ]]; then
				echo "${file##*/}"
			elif grep -q role=manager "$file"; then
				if [[ -e $swarm/dead/${file##*/} ]]; then echo Unreachable; else echo Reachable; fi
			fi
		done
		;;
	rm) rm -f "$swarm/nodes/${*: -1}" "$swarm/dead/${*: -1}" ;;
	inspect)
		if [[ $2 == self ]]; then
			[[ ${NODE##*/} != "$(cat "$FAKE/leader" 2>/dev/null || echo 10.0.0.11)" ]] || echo true
			return
		fi
		for id in "${@:4}"; do
			# shellcheck source=/dev/null
			source "$swarm/nodes/$id"
			if [[ $(format "$@") != *Description* ]]; then
				echo "ready $([[ $role == worker ]] || cat "$FAKE/reachability" 2>/dev/null || echo reachable)"
				continue
			fi
			# shellcheck disable=SC2154 # from the file
			echo "$id|$(cat "$swarm/dead/$id" 2>/dev/null || echo ready)|$role|$address|$([[ $role == worker ]] || echo "$address:2377")|$([[ $role == worker ]] || { [[ -e $swarm/dead/$id ]] && echo unreachable || echo reachable; })|host-$address|$labels"
		done
		;;
	update)
		id=${*: -1}
		# shellcheck source=/dev/null
		source "$swarm/nodes/$id"
		shift
		while (($# > 1)); do
			if [[ $1 == --label-add ]]; then labels+="$2,"; else labels=$(sed "s#\(^\|,\)$2=[^,]*,#\1#" <<<"$labels"); fi
			shift 2
		done
		printf 'address=%s\nrole=%s\nlabels=%q\n' "$address" "$role" "$labels" >"$swarm/nodes/$id"
		;;
	promote) sed -i s/role=.*/role=manager/ "$swarm/nodes/$2" ;;
	demote) sed -i s/role=.*/role=worker/ "$swarm/nodes/$2" ;;
	esac
}

network() {
	local file=$swarm/networks/${*: -1} attachable=false internal=false options='' word
	if [[ ${*: -1} == docker_gwbridge ]]; then file=$NODE/gateway; fi
	case $1 in
	create)
		for word; do
			case $word in
			--attachable) attachable=true ;;
			--internal) internal=true ;;
			encrypted) options+='encrypted=;' ;;
			com.docker.network.driver.mtu=*) options+="$word;" ;;
			esac
		done
		printf 'overlay swarm %s %s\n%s\n%s\n' "$attachable" "$internal" "$options" "$(sed -n 's/.*--subnet \([^ ]*\).*/\1/p' <<<"$*")" >"$file"
		;;
	inspect)
		if [[ $* == *bridge.name* ]]; then
			cat "$NODE/bridges"
			return
		fi
		[[ -e $file ]] || return 1
		case $(format "$@") in
		'{{index .Options "com.docker.network.driver.mtu"}}') sed -n 's/.*mtu=\([0-9]*\);/\1/p' "$file" ;;
		*Ingress*) [[ ! -e $swarm/networks/ingress ]] || echo "ingress $(sed -n 's/.*mtu=\([0-9]*\);/\1/p' "$swarm/networks/ingress")" ;;
		*.Options*) sed -n 2p "$file" ;;
		*IPAM*) sed -n 3p "$file" ;;
		*) sed -n 1p "$file" ;;
		esac
		;;
	ls) if [[ $* == *namespace=* ]]; then for file in "$swarm"/networks/*; do if grep -qx "stack=$(sed 's/.*namespace=\([^ ]*\).*/\1/' <<<"$*")" "$file"; then echo "${file##*/}"; fi; done; elif [[ $* == *.ID* ]]; then for file in "$swarm"/networks/*; do echo "id-${file##*/} ${file##*/}"; done; elif [[ $* == *driver=bridge ]]; then cut -d ' ' -f 1 "$NODE/bridges" 2>/dev/null || true; elif [[ $* == *driver=* ]]; then ls "$swarm/networks"; else grep -L ^stack= "$swarm"/networks/* | sed 's,.*/,,' | grep -v -e '^ingress$' -e '^app_'; fi ;;
	rm)
		if in_use network "${*: -1}"; then return 1; fi
		rm "$file"
		;;
	esac
}

# in_use KIND NAME says in IDs, as Docker does, who uses it.
in_use() {
	local file
	for file in "$swarm"/services/* "$swarm"/others/*; do
		if [[ -e $file && " $(uses "${file##*/}" | if [[ $1 == network ]]; then cut -d '|' -f 3; else cut -d '|' -f 4; fi)" == *[\ -]"$2 "* ]]; then
			echo "Error response from daemon: rpc error: code = FailedPrecondition desc = $1 0a1b2c3d4e5f is in use by service 9f8e7d6c5b4a" >&2
			return
		fi
	done
	return 1
}

# service: a stack has one service, in services/STACK. Those of others are in others/NAME: NAME|STACK|networks|secrets, and labels.
service() {
	case $1 in
	rm) rm -f "$swarm/services/${2%_one}" "$FAKE/mode" ;;
	ps) echo 'Pending 3 seconds ago no suitable node (1 node not available)' ;;
	ls)
		local all="$*" stack
		if [[ $all != *namespace=* ]]; then
			ls "$swarm/services" "$swarm/others" 2>/dev/null | grep -v : || true
			return
		fi
		stack=${all#*namespace=}
		stack=${stack%% *}
		[[ -e $swarm/services/$stack ]] || return 0
		if [[ $* != *Replicas* ]]; then
			echo "$stack"
		elif [[ -e $FAKE/broken || $stack == "$(cat "$FAKE/short" 2>/dev/null)" ]]; then
			echo "${stack}_one|replicated|0/1"
		else
			echo "${stack}_one|$(cat "$FAKE/mode" 2>/dev/null || echo replicated)|1/1"
		fi
		;;
	inspect)
		case $(format "$@") in
		*TaskTemplate.Networks*) for stack in "${@:4}"; do uses "$stack"; done ;;
		*Spec.Labels*) sed -n 2p "$swarm/others/${*: -1}" ;;
		*PreviousSpec*Configs*) { cat "$swarm/services/${*: -1}" "$swarm/previous/${*: -1}" 2>/dev/null || true; } | objects configs ;;
		*PreviousSpec*Secrets*) for stack in "${@:4}"; do if [[ -e $swarm/previous/$stack ]]; then objects secrets <"$swarm/previous/$stack"; fi; done ;;
		*'.Spec}}') { cat "$swarm/services/${*: -1}" "$FAKE/mode" 2>/dev/null || true; } | sha256sum ;;
		*UpdateStatus*) echo "${*: -1}|$(cat "$FAKE/broken" 2>/dev/null || echo completed)" ;;
		esac
		;;
	esac
}

# uses SERVICE: what it uses, as a line of docker service inspect.
uses() {
	local network
	if [[ -e $swarm/others/$1 ]]; then
		head -n 1 "$swarm/others/$1"
		return
	fi
	echo "${1}_one|$1|$(for network in $(listed_networks "$1" <"$swarm/services/$1" | cut -d ' ' -f 1); do printf 'id-%s ' "$network"; done)|$(objects secrets <"$swarm/services/$1" | tr '\n' ' ')"
}

# objects KIND prints the names of a stack's configs or secrets, from its file on stdin.
objects() { sed -n "/^$1:/,/^[a-z]/s/^    name: //p"; }

# made STACK reads its file, and prints the networks that a deploy makes; outside, those that have to be there.
made() { listed_networks "$1" | sed -n 's/ made$//p'; }
outside() { listed_networks "$1" | sed -n 's/ outside$//p' | grep -vx host || true; }

listed_networks() {
	awk -v stack="$1" '
		function flush() { if (key != "") print (name == "" ? stack "_" key : name), kind; key = name = ""; kind = "made" }
		/^[a-z]/ { flush(); section = $1 }
		section != "networks:" { next }
		/^  [A-Za-z0-9]/ { flush(); key = $1; sub(/:$/, "", key) }
		/^    name: / { name = $2 }
		/^    external: true/ { kind = "outside" }
		END { flush() }'
}

# deploy STACK FILE [FILE]: one service a stack. What it was before is its PreviousSpec; a secret that is not there is an
# error. The networks of a second file come to those of the first.
deploy() {
	local name
	for name in $(objects secrets <"$2"); do
		[[ -e $swarm/secrets/$name ]] || { echo "secret not found: $name" >&2 && return 1; }
	done
	for name in $(outside "$1" <"$2"); do
		[[ -e $swarm/networks/$name ]] || { echo "network \"$name\" is declared as external, but could not be found" >&2 && return 1; }
	done
	for name in $(made "$1" <"$2"); do
		[[ -e $swarm/networks/$name ]] || printf 'overlay swarm false false\n\n\nstack=%s\n' "$1" >"$swarm/networks/$name"
	done
	mkdir -p "$swarm/configs" "$swarm/previous"
	for name in $(objects configs <"$2"); do touch "$swarm/configs/$name"; done
	if [[ -e $swarm/services/$1 ]]; then mv "$swarm/services/$1" "$swarm/previous/$1"; fi
	cat "$2" >"$swarm/services/$1"
	if [[ -n ${3:-} ]]; then
		name=$(sed -n '/^networks:/,$s/^  "\(.*\)":$/\1/p' "$3")
		sed -i "s/^networks:$/&\n  $name:\n    name: $name/" "$swarm/services/$1"
	fi
}

# remove_stack STACK fails where a network of it is in use, after all the rest is gone.
remove_stack() {
	local network failed=no
	rm -f "$swarm/services/$1" "$swarm/previous/$1" "$swarm/configs/$1-"*
	for network in $(docker network ls --filter "label=com.docker.stack.namespace=$1"); do
		docker network rm "$network" || failed=yes
	done
	[[ $failed == no ]] || { echo "Failed to remove some resources from stack: $1" >&2 && return 1; }
}

# load takes an archive of one image; an engine of old calls it by the digest of its configuration.
load() {
	local list name
	list=$(tar -xOf - manifest.json)
	name=$(sed 's/.*"RepoTags":\["\([^"]*\)".*/\1/' <<<"$list")
	sed 's|.*"Config":"blobs/sha256/\([0-9a-f]*\)".*|sha256:\1|' <<<"$list" >"$NODE/images/${name//\//_}"
}

version() { cat "$NODE/version" 2>/dev/null || echo 29.8.1; }

docker() {
	case "$1 ${2:-}" in
	'version '*) [[ -e $NODE/units/docker.service ]] && version ;;
	'info '*) info "$@" ;;
	'swarm init') swarm_init "$@" ;;
	'swarm join-token')
		[[ $* != *--rotate* ]] || echo "$RANDOM$RANDOM" >"$swarm/token"
		echo "SWMTKN-1-$(<"$swarm/token")-${*: -1}"
		;;
	'swarm leave') rm -f "$swarm/nodes/$(<"$NODE/member")" "$NODE/member" ;;
	'node '*) node "${@:2}" ;;
	'network '*) network "${@:2}" ;;
	'secret inspect') [[ -e $swarm/secrets/$3 ]] ;;
	'secret create') cat >"$swarm/secrets/${*: -2:1}" ;;
	'secret ls') ls "$swarm/secrets" ;;
	'secret rm') if in_use secret "$3"; then return 1; fi && rm "$swarm/secrets/$3" ;;
	'image inspect') cat "$NODE/images/$(sed 's|^docker.io/||; y|/|_|' <<<"${*: -1}")" ;;
	'pull '*) echo "sha256:pulled" >"$NODE/images/${3//\//_}" ;;
	'load ') load ;;
	'service '*) service "${@:2}" ;;
	'stack deploy') [[ $* == *--help* ]] || deploy "${*: -1}" "$(sed 's/.*--prune[^/]*--compose-file \([^ ]*\).*/\1/' <<<"$*")" "$(sed -n 's/.*--compose-file [^ ]* --compose-file \([^ ]*\).*/\1/p' <<<"$*")" ;;
	'stack rm') remove_stack "$3" ;;
	'stack ps') if [[ -e $FAKE/broken && $* == *Error* ]]; then echo 'traefik_one.1 on m1: Shutdown, Rejected "no such image"'; fi ;;
	'ps '*) [[ ! -e $swarm/services/s3 ]] || echo task ;;
	'inspect '*) echo 1 ;;
	'exec '*) # a secret in the one task there is
		file=${*: -1}
		file=$(printf '%s\n' "$swarm/secrets/${file##*/}"-r* | tail -n 1)
		[[ -e $file ]] || return 1
		if [[ $3 == cat ]]; then cat "$file"; fi
		;;
	'volume inspect') [[ -d /var/lib/docker/volumes/${*: -1}/_data ]] && echo "/var/lib/docker/volumes/${*: -1}/_data" ;;
	'volume create') mkdir -p "/var/lib/docker/volumes/$3/_data" ;;
	'config ls') if [[ -e $swarm/configs ]]; then ls "$swarm/configs" | grep "^$(sed 's/.*namespace=\([^ ]*\).*/\1/' <<<"$*")-" || true; fi ;;
	'config inspect') [[ -e $swarm/configs/$3 ]] ;;
	'config rm') rm "$swarm/configs/$3" ;;
	'service rollback') mv "$swarm/previous/$3" "$swarm/services/$3" ;;
	esac
}
