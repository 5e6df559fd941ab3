# The directories that NFS and S3 share, with the owner that writes into them.

check() {
	local row duty path owner
	for row in "${directories[@]}"; do
		read -r duty path owner <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		[[ -d $path && $(stat -c %u:%g "$path") == "$owner" ]] || would "make $path, owner $owner"
	done
}

apply() {
	local row duty path owner
	for row in "${directories[@]}"; do
		read -r duty path owner <<<"$row"
		[[ " $duties " == *" $duty "* ]] || continue
		mkdir -p -- "$path"
		chown "$owner" -- "$path"
		chmod "$directory_mode" -- "$path"
	done
}

verify() {
	check
	((skep_changes == 0)) || refuse 'a directory is missing'
}

undo() { :; }
