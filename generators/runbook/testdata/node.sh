#!/usr/bin/env bash
# What stands in for a node's programs; called by their names. State of the swarm is in $FAKE/swarm, of the node in $NODE.
set -euo pipefail
name=${0##*/}
swarm=$FAKE/swarm
[[ $name == unshare || -n ${SCRATCH:-} ]] || printf '%s %s %s\n' "${NODE##*/}" "$name" "$*" >>"$FAKE/calls"
if [[ -e $FAKE/noise ]]; then cat "$FAKE/noise" >&2; fi

# shellcheck source=generators/runbook/testdata/docker.sh
source "$FAKE/docker.sh"

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
	*/prometheus/ | */alertmanager/ | */dashboard/) printf 401 ;;
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
ip)
	[[ $* != *'route get'* ]] || cat "$NODE/route" 2>/dev/null || true
	[[ $* != *' to '* || $* == *" $(cat "$FAKE/elsewhere" 2>/dev/null || echo none)" ]] || echo "2: eth0 inet ${*: -1}/24"
	;;
ss)
	[[ $* != *:2376 || ! -e $NODE/units/docker.service ]] || echo 'LISTEN 0 4096 *:2376'
	[[ $* != *:1194 || ! -e $NODE/units/skep-vpn.service ]] || echo 'UNCONN 0 0 0.0.0.0:1194 0.0.0.0:* users:(("openvpn",pid=2,fd=6))'
	[[ ! -e $NODE/taken || $* != *"$(<"$NODE/taken")" ]] || echo 'tcp LISTEN 0 1 *:80 users:(("apache2",pid=1,fd=4))'
	;;
sysctl) # the kernel's settings are in $NODE/kernel, the last one holds
	case $* in
	-n*) awk -F ' = ' -v key="$2" '$1 == key { value = $2 } END { print value }' "$NODE/kernel" ;;
	*--load*) cat "$3" >>"$NODE/kernel" ;;
	*--write*) printf '%s\n' "${3/=/ = }" >>"$NODE/kernel" ;;
	esac
	;;
exportfs) [[ $1 != -s ]] || cat /etc/exports.d/skep.exports ;;
dockerd) if [[ $* == --version ]]; then echo "Docker version $(version), build 0"; else echo '  --validate'; fi ;;
iptables | ip6tables)
	case $* in
	--version) echo 'iptables v1.8.9 (nf_tables)' ;;
	*-C*) [[ -e $NODE/$name ]] ;;
	*-D*) [[ -e $NODE/$name ]] && rm "$NODE/$name" ;;
	*-I* | *'-A PREROUTING'*) touch "$NODE/$name" ;;
	esac
	;;
iptables-save | ip6tables-save) [[ ! -e $NODE/${name%-save} ]] || printf '*mangle\n:SKEP - [0:0]\n-A PREROUTING -j SKEP\nCOMMIT\n' ;;
apt-cache) if [[ $1 == policy && -e $FAKE/candidate ]]; then printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$2" "$(<"$FAKE/candidate")"; fi ;;
apt-get)
	if [[ $* == *sources.list* ]]; then cat /var/cache/skep-packages/sources.list >>"$NODE/sources" && find /var/cache/skep-packages -name '*.deb' -printf '%f\n' | sort >"$NODE/carried"; fi
	if [[ -e $FAKE/refused && $* == *" $(<"$FAKE/refused")"* ]]; then
		echo 'E: no' >&2
		exit 100
	fi
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
dpkg-query)
	case $* in
	*Version*) cat "$NODE/packages" 2>/dev/null || true ;;
	*) if [[ -e $NODE/${*: -1} ]]; then printf installed; else exit 1; fi ;;
	esac
	;;
dpkg) ;;
uname) if [[ $* == -m && -e $FAKE/machine.${NODE##*/} ]]; then cat "$FAKE/machine.${NODE##*/}"; else /usr/bin/uname "$@"; fi ;;
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
