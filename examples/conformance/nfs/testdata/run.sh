#!/usr/bin/env bash
# Runs a command in a root directory of its own: the machine's programs, and a configuration that is ROOT's alone.
# usage: unshare -m run.sh ROOT COMMAND...
set -euo pipefail

root=$1
shift
for dir in usr bin sbin lib lib32 lib64; do
	if [[ -L /$dir ]]; then
		cp -a "/$dir" "$root/$dir"
	elif [[ -d /$dir ]]; then
		mkdir -p "$root/$dir"
		mount --rbind "/$dir" "$root/$dir"
	fi
done
mkdir -p "$root/dev" "$root/var/lib/nfs" "$root/run"
touch "$root/dev/null" "$root/var/lib/nfs/etab" "$root/var/lib/nfs/rmtab"
mount --bind /dev/null "$root/dev/null"
exec chroot "$root" "$@"
