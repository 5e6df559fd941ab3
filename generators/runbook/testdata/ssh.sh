#!/usr/bin/env bash
# A recorded ssh: runs the command in a mount namespace with the node's own /etc, /var, /run and /usr/local/sbin.
# $FAKE holds everything: calls (argument lists), hosts/ADDRESS/, down/ADDRESS, held (a pipe to wait for), noise (what a node says first), kill-at.
set -euo pipefail
printf 'ssh %s\n' "$*" >>"$FAKE/calls"
count=$$
if [[ -e $FAKE/kill-at ]]; then
	echo >>"$FAKE/count"
	# Connections run side by side, so one may miss the number: whoever comes later kills, and only one can remove the file.
	if (($(wc -l <"$FAKE/count") >= $(cat "$FAKE/kill-at" 2>/dev/null || echo 99999))) && rm "$FAKE/kill-at" 2>/dev/null; then
		kill -9 0
	fi
fi
fresh=no
while [[ $1 != -- ]]; do
	[[ $1 != ControlPath=none ]] || fresh=yes
	shift
done
address=$2
shift 2
# After a lockout only connections that stand get through, until the rules are taken back.
if [[ -e $FAKE/lockout/$address && $fresh == yes ]]; then
	rm "$FAKE/lockout/$address"
	echo "ssh: connect to host $address port 22: Connection timed out" >&2
	exit 255
fi
if [[ -e $FAKE/down/$address ]]; then
	echo "ssh: connect to host $address port 22: Connection timed out" >&2
	cat "$FAKE/down/$address" >&2
	exit 255
fi
if [[ -e $FAKE/noise ]]; then cat "$FAKE/noise" && cat "$FAKE/noise" >&2; fi
if [[ -p $FAKE/held ]]; then cat "$FAKE/held"; fi
node=$FAKE/hosts/$address
if [[ ! -d $node ]]; then
	# Whole or not at all: a test may kill this.
	new=$node.$count
	mkdir -p "$FAKE"/swarm/{nodes,networks,secrets,services} "$new"/{etc/ssl,var/{lib,cache},run/systemd/system,sbin,units,images}
	cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/alternatives "$new/etc/"
	cp -a /etc/ssl/openssl.cnf "$new/etc/ssl/"
	echo VERSION_CODENAME=bookworm >"$new/etc/os-release"
	printf '%s none bind 0 0\n' "$node/etc /etc" "$node/var /var" "$node/run /run" "$node/sbin /usr/local/sbin" >"$new/fstab"
	mv -T "$new" "$node" 2>/dev/null || rm -rf "$new"
fi
if [[ -e $node/skew ]]; then set -- faketime -f "$(<"$node/skew")" "$@"; fi
export NODE=$node SSH_CONNECTION="operator $count"
exec unshare -m bash -c '
	mount --all --fstab "$NODE/fstab"
	if [[ -d $NODE/disk ]]; then mount --bind "$NODE/disk" /var/lib/share; fi
	PATH=$FAKE/node:/usr/bin:/bin exec "$@"' node "$@"
