#!/usr/bin/env bash
# What stands in for a node's programs; called by their names. State of the swarm is in $FAKE/swarm, of the node in $NODE.
set -euo pipefail
name=${0##*/}
swarm=$FAKE/swarm
[[ $name == unshare || -n ${SCRATCH:-} ]] || printf '%s %s %s\n' "${NODE##*/}" "$name" "$*" >>"$FAKE/calls"
if [[ -e $FAKE/noise ]]; then cat "$FAKE/noise" >&2; fi

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
	'{{.Swarm.ControlAvailable}}') echo "$control" ;;
	'{{.Swarm.NodeAddr}}') if [[ -e $NODE/member ]]; then sed s/^id// "$NODE/member"; fi ;;
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
	ls) for file in "$swarm"/nodes/*; do if [[ $* == *Status* ]]; then echo Ready; else echo "${file##*/}"; fi; done ;;
	inspect)
		if [[ $2 == self ]]; then
			[[ ${NODE##*/} != "$(cat "$FAKE/leader" 2>/dev/null || echo 10.0.0.11)" ]] || echo true
			return
		fi
		for id in "${@:4}"; do
			# shellcheck source=/dev/null
			source "$swarm/nodes/$id"
			if [[ $(format "$@") == *Reachability* ]]; then
				echo "ready $([[ $role == worker ]] || cat "$FAKE/reachability" 2>/dev/null || echo reachable)"
				continue
			fi
			# shellcheck disable=SC2154 # from the file
			echo "$id|ready|$role|$address|$([[ $role == worker ]] || echo "$address:2377")|$labels"
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
	ls) if [[ $* == *driver=bridge ]]; then cut -d ' ' -f 1 "$NODE/bridges" 2>/dev/null || true; elif [[ $* == *driver=* ]]; then ls "$swarm/networks"; else ls -I ingress "$swarm/networks"; fi ;;
	rm) rm "$file" ;;
	esac
}

service() {
	case $1 in
	ls)
		local all="$*" stack
		stack=${all#*namespace=}
		stack=${stack%% *}
		[[ -e $swarm/services/$stack ]] || return 0
		if [[ $* != *Replicas* ]]; then
			echo "$stack"
		elif [[ -e $FAKE/broken ]]; then
			echo "${stack}_one 0/1"
		else
			echo "${stack}_one 1/1"
		fi
		;;
	inspect)
		case $(format "$@") in
		*PreviousSpec*Configs*) { cat "$swarm/services/${*: -1}" "$swarm/previous/${*: -1}" 2>/dev/null || true; } | objects configs ;;
		*PreviousSpec*Secrets*) for stack in "${@:4}"; do if [[ -e $swarm/previous/$stack ]]; then objects secrets <"$swarm/previous/$stack"; fi; done ;;
		*'.Spec}}') sha256sum <"$swarm/services/${*: -1}" ;;
		*UpdateStatus*) echo "${*: -1}|$(cat "$FAKE/broken" 2>/dev/null || echo completed)" ;;
		esac
		;;
	esac
}

# objects KIND prints the names of a stack's configs or secrets, from its file on stdin.
objects() { sed -n "/^$1:/,/^[a-z]/s/^    name: //p"; }

# deploy FILE STACK: one service a stack. What it was before is its PreviousSpec; a secret that is not there is an error.
deploy() {
	local name
	for name in $(objects secrets <"$1"); do
		[[ -e $swarm/secrets/$name ]] || { echo "secret not found: $name" >&2 && return 1; }
	done
	mkdir -p "$swarm/configs" "$swarm/previous"
	for name in $(objects configs <"$1"); do touch "$swarm/configs/$name"; done
	if [[ -e $swarm/services/$2 ]]; then mv "$swarm/services/$2" "$swarm/previous/$2"; fi
	cat "$1" >"$swarm/services/$2"
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
	'secret rm') rm "$swarm/secrets/$3" ;;
	'image inspect') [[ -e $NODE/images/${3//\//_} ]] ;;
	'pull '*) touch "$NODE/images/${3//\//_}" ;;
	'load ') cat >/dev/null ;;
	'service '*) service "${@:2}" ;;
	'stack deploy') [[ $* == *--help* ]] || deploy "$(sed 's/.*--compose-file \([^ ]*\).*/\1/' <<<"$*")" "${*: -1}" ;;
	'stack rm') rm -f "$swarm/services/$3" "$swarm/previous/$3" "$swarm/configs/$3-"* ;;
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
	'config rm') rm "$swarm/configs/$3" ;;
	'service rollback') mv "$swarm/previous/$3" "$swarm/services/$3" ;;
	esac
}

systemctl() {
	local verb=$1 word unit=$NODE/units
	shift
	for word; do
		[[ $word != -* ]] || continue
		case $verb in
		restart | start | reload)
			if [[ $word == docker.service && -e $NODE/fails ]] && grep -q "$(<"$NODE/fails")" /etc/docker/daemon.json; then
				rm -f "$unit/$word"
				return 1
			fi
			touch "$unit/$word"
			if [[ $word == skep-mesh.service ]]; then cp /etc/skep/mesh/private.key "$NODE/mesh-key"; fi
			;;
		cat) if [[ -e $NODE/docker.unit && $word == docker.service ]]; then cat "$NODE/docker.unit"; fi ;;
		enable) touch "$unit/$word.enabled" ;;
		mask) touch "$unit/$word.masked" ;;
		unmask) rm -f "$unit/$word.masked" ;;
		disable) rm -f "$unit/$word.enabled" "$unit/$word" ;;
		is-active) [[ -e $unit/$word ]] || return 3 ;;
		is-enabled)
			if [[ -e $unit/$word.masked ]]; then
				echo masked
				return 1
			fi
			[[ -e $unit/$word.enabled ]] || return 1
			;;
		esac
	done
}

curl() {
	local body token role
	case $* in
	*/swarm/join)
		body=$(cat)
		token=$(sed 's/.*"JoinToken":"\([^"]*\)".*/\1/' <<<"$body")
		role=${token##*-}
		if [[ $token != "SWMTKN-1-$(<"$swarm/token")-$role" ]]; then
			printf '{"message":"invalid join token"}\n400'
			return
		fi
		join "$(sed 's/.*"AdvertiseAddr":"\([^"]*\)".*/\1/' <<<"$body")" "$role"
		printf '\n200'
		;;
	*/_ping) return 56 ;;
	*'?acl=') owner=$(cat "$swarm/buckets/$(sed 's#.*/\(.*\)?acl=#\1#' <<<"$*")" 2>/dev/null) && printf '<AccessControlPolicy><Owner><ID>%s</ID></Owner></AccessControlPolicy>' "$owner" ;;
	*/change-bucket-owner*)
		cat >"$FAKE/login"
		mkdir -p "$swarm/buckets"
		sed 's/.*&owner=//' <<<"$*" >"$swarm/buckets/$(sed 's/.*?bucket=\(.*\)&.*/\1/' <<<"$*")"
		;;
	*/prometheus/) printf 401 ;;
	*' http://'*) printf 308 ;;
	*) printf 200 ;;
	esac
}

nft() {
	case $* in
	'-c -f '*) ;;
	'-f '*) if grep -q '{' "$2"; then cp "$2" "$NODE/nft"; else rm -f "$NODE/nft"; fi ;;
	*'list table'*) cat "$NODE/nft" ;;
	'delete table'*) rm "$NODE/nft" ;;
	esac
}

case $name in
docker | systemctl | curl | nft) "$name" "$@" ;;
df) # what preflight asks: the free KiB of a path
	if [[ -e $NODE/full ]]; then printf 'Avail\n1024\n'; else printf 'Avail\n99999999\n'; fi
	;;
ip) [[ $* != *' to '* || $* == *" $(cat "$FAKE/elsewhere" 2>/dev/null || echo none)" ]] || echo "2: eth0 inet ${*: -1}/24" ;;
ss)
	[[ $* != *:2376 || ! -e $NODE/units/docker.service ]] || echo 'LISTEN 0 4096 *:2376'
	[[ $* != *:1194 || ! -e $NODE/units/skep-vpn.service ]] || echo 'UNCONN 0 0 0.0.0.0:1194 0.0.0.0:* users:(("openvpn",pid=2,fd=6))'
	[[ ! -e $NODE/taken || $* != *"$(<"$NODE/taken")" ]] || echo 'tcp LISTEN 0 1 *:80 users:(("apache2",pid=1,fd=4))'
	;;
sysctl) if [[ $1 == -n ]]; then sed -n "s/^$2 = //p" /etc/sysctl.d/90-skep.conf; fi ;;
exportfs) [[ $1 != -s ]] || cat /etc/exports.d/skep.exports ;;
dockerd) if [[ $* == --version ]]; then echo "Docker version $(version), build 0"; else echo '  --validate'; fi ;;
iptables | ip6tables)
	case $* in
	--version) echo 'iptables v1.8.9 (nf_tables)' ;;
	*-C*) [[ -e $NODE/$name ]] ;;
	*-D*) [[ -e $NODE/$name ]] && rm "$NODE/$name" ;;
	*-I*) touch "$NODE/$name" ;;
	esac
	;;
apt-cache) if [[ $1 == policy && -e $FAKE/candidate ]]; then printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$2" "$(<"$FAKE/candidate")"; fi ;;
apt-get)
	if [[ $* == *' install '*docker.io* ]]; then
		ln -sf docker "${0%/*}/dockerd"
		touch "$NODE/docker.io"
	fi
	;;
apt-mark) # what is held: one package
	case $1 in
	hold) touch "$NODE/held" ;;
	unhold) rm "$NODE/held" ;;
	showhold) if [[ -e $NODE/held ]]; then echo "$2"; fi ;;
	esac
	;;
dpkg-query) if [[ -e $NODE/${*: -1} ]]; then printf installed; else exit 1; fi ;;
dpkg) ;;
iptables-restore | ip6tables-restore) cat >/dev/null ;;
unshare) # an empty network namespace: a node that nobody records
	[[ $1 != --mount ]] || exec /usr/bin/unshare "$@"
	SCRATCH=$(mktemp -d)
	export SCRATCH
	NODE=$SCRATCH "${@:2}"
	rm -rf "$SCRATCH"
	;;
sleep) if [[ -e $FAKE/on-sleep ]]; then bash "$FAKE/on-sleep"; fi ;;
timeout)
	case $* in
	*/dev/tcp/*)
		# With "cut" rules that are loaded are silent to other nodes.
		to=$*
		to=${to#*/dev/tcp/}
		[[ ! -e $FAKE/cut || ! -e $FAKE/hosts/${to%%/*}/nft ]] || exit 124
		;;
	*s_client*)
		certificate 60
		if [[ ! -e $FAKE/untrusted ]]; then echo 'Verify return code: 0 (ok)'; fi
		;;
	*) exec "${@:2}" ;;
	esac
	;;
wg) # a key that is the node's own
	case $1 in
	genkey) echo "private $RANDOM of ${NODE##*/}" ;;
	pubkey) printf '%s' "public $(cat)" | sha256sum | head -c 32 | base64 ;;
	show) if [[ -e $NODE/mesh-key ]]; then wg pubkey <"$NODE/mesh-key"; fi ;;
	esac
	;;
nsenter) exec "${@:4}" ;;
umount) if [[ $1 == --lazy ]]; then exec /usr/bin/umount "$@"; fi ;;
sudo)
	shift
	exec "$@"
	;;
esac
