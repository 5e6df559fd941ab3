# Each node can reach the share. Applications mount it through volumes, so nothing is mounted for good.

# shellcheck disable=SC2016 # the inner shell expands its own arguments
reachable() { timeout 5 bash -c ': <"/dev/tcp/$1/$2"' connect "$server_address" "$nfs_port" 2>/dev/null; }

check() {
	units_right || would "mask or unmask ${masked[*]}${unmasked[*]}"
	has_text "$kept/nfs.tried" "$server_address:$share" || would "mount $server_address:$share once, read-only, as a trial"
}

apply() {
	units_right || set_units
	wait_for 30 "port $nfs_port of $server_address" reachable
	modprobe nfs 2>/dev/null || true
	if grep -qw nfs4 /proc/filesystems; then
		trial
	else
		note 'the kernel of this node has no NFS client, so Docker cannot mount the share here'
	fi
	printf '%s\n' "$server_address:$share" >"$kept/nfs.tried"
}

trial() {
	local at
	at=$(mktemp -d)
	if ! timeout 60 mount -t nfs4 -o ro,soft,timeo=50,retrans=2,nosuid,nodev,noexec "$server_address:$share" "$at"; then
		rmdir -- "$at"
		refuse "$server_address:$share cannot be mounted" "is $address in the exports, and port $nfs_port of the server open to it?"
	fi
	umount -- "$at"
	rmdir -- "$at"
}

verify() { reachable || refuse "port $nfs_port of $server_address does not answer"; }

undo() {
	((${#masked[@]} == 0)) || systemctl unmask --quiet "${masked[@]}"
	rm -f -- "$kept/nfs.tried"
}
