# The directories that NFS and S3 share, with the owner that writes into them. Those of applications are theirs once they are made.

readonly amiss='a directory is missing'

check() {
	local row duty path owner filesystem keeps field
	for row in "${directories[@]}"; do
		read -r duty path owner filesystem keeps field <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		if [[ $filesystem == own ]]; then
			is_mounted "$path" "$field"
			[[ $(beneath "$path" 'stat -c %u:%g:%a') == 0:0:0 ]] || would "shut $path as it is without its disk"
		fi
		is_right "$path" "$owner" "$keeps" || would "make $path, owner $owner"
	done
}

# is_right PATH OWNER KEPT
is_right() {
	[[ -d $1 ]] || return 1
	if [[ $3 == nothing ]]; then is_handed_over "$1"; else [[ $(stat -c %u:%g "$1") == "$2" ]]; fi
}

# is_handed_over PATH: an earlier run gave it to its owner, or somebody has put files there.
is_handed_over() {
	grep -qsxF -- "$1" "$kept/directories" || [[ -n $(find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]
}

# is_mounted PATH FIELD
is_mounted() {
	mountpoint -q -- "$1" || refuse_in_turn "$1 is not a mount point, and $2 is \"own\"" \
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
	local row duty path owner filesystem keeps field new
	for row in "${directories[@]}"; do
		read -r duty path owner filesystem keeps field <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		if [[ -d $path ]] && is_handed_over "$path"; then new=no; else new=yes; fi
		if [[ $filesystem == own ]]; then
			is_mounted "$path" "$field"
			beneath "$path" 'chown 0:0' 'chmod 0'
		else
			mkdir -p -- "$path"
		fi
		if [[ $keeps != nothing || $new == yes ]]; then chown "$owner" -- "$path"; fi
		if [[ $keeps == all || $new == yes ]]; then chmod "$directory_mode" -- "$path"; fi
		is_handed_over "$path" || printf '%s\n' "$path" >>"$kept/directories"
	done
}
