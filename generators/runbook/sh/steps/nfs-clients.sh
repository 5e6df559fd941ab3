# Each node can reach the shares. Applications mount it through volumes, so nothing is mounted for good.

# shellcheck disable=SC2016 # the inner shell expands its own arguments
reachable() { timeout 5 bash -c ': <"/dev/tcp/$1/$2"' connect "$server_address" "$nfs_port" 2>/dev/null; }

check() {
	! is_silent "$server" || leave_open "$server, the NFS server, does not answer"
	units_right || would "mask or unmask ${masked[*]}${unmasked[*]}"
	has_text "$kept/nfs.tried" "$(sources)" || would "mount $(sources | paste -sd ' ') once, read-only, as a trial"
}

# sources are what Docker mounts, a line each.
sources() {
	local row
	for row in "${shares[@]}"; do printf '%s\n' "$server_address:${row#* }"; done
}

apply() {
	local source
	units_right || set_units
	wait_for 30 "port $nfs_port of $server_address" reachable
	modprobe nfs 2>/dev/null || true
	if grep -qw nfs4 /proc/filesystems; then
		while read -r source; do trial "$source"; done < <(sources)
	else
		note 'the kernel of this node has no NFS client, so Docker cannot mount the share here'
	fi
	sources >"$kept/nfs.tried"
}

# trial SOURCE
trial() {
	local at
	at=$(mktemp -d)
	if ! timeout 60 mount -t nfs4 -o ro,soft,timeo=50,retrans=2,nosuid,nodev,noexec "$1" "$at" </dev/null; then
		rmdir -- "$at"
		refuse "$1 cannot be mounted" "is $address in the exports, and port $nfs_port of the server open to it?"
	fi
	umount -- "$at"
	rmdir -- "$at"
}

verify() { reachable || refuse "port $nfs_port of $server_address does not answer"; }

undo() {
	release_units
	rm -f -- "$kept/nfs.tried"
}
