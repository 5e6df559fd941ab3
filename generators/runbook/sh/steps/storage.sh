# The directories that NFS and S3 share, with the owner that writes into them.

readonly amiss='a directory is missing'

check() {
	local row duty path owner filesystem
	for row in "${directories[@]}"; do
		read -r duty path owner filesystem <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		if [[ $filesystem == own ]]; then
			is_mounted "$path" "$duty"
			[[ $(beneath "$path" 'stat -c %u:%g:%a') == 0:0:0 ]] || would "shut $path as it is without its disk"
		fi
		[[ -d $path && $(stat -c %u:%g "$path") == "$owner" ]] || would "make $path, owner $owner"
	done
}

# is_mounted PATH DUTY
is_mounted() {
	mountpoint -q -- "$1" || refuse "$1 is not a mount point, and services.$2.filesystem is \"own\"" \
		'mount its disk, also in /etc/fstab; or set "any" to share a part of another file system'
}

# beneath PATH COMMAND... runs commands on the directory that shows when the disk is not mounted, in a namespace where it is not.
beneath() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private bash -euc '
		path=$1
		shift
		while mountpoint -q -- "$path"; do umount --lazy -- "$path"; done
		for command; do $command -- "$path"; done
	' beneath "$@"
}

# A service that finds the disk gone must fail: in an empty directory of its own it would begin anew, on the wrong disk.
apply() {
	local row duty path owner filesystem
	for row in "${directories[@]}"; do
		read -r duty path owner filesystem <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		if [[ $filesystem == own ]]; then
			is_mounted "$path" "$duty"
			beneath "$path" 'chown 0:0' 'chmod 0'
		else
			mkdir -p -- "$path"
		fi
		chown "$owner" -- "$path"
		chmod "$directory_mode" -- "$path"
	done
}
