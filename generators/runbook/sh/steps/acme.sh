# The volume where Traefik keeps what the ACME authority gave it. Traefik is not root, and an older bundle had it be.

check() {
	has docker && engine_up || unknown 'no Docker engine yet'
	local path
	path=$(place)
	[[ -n $path ]] || {
		would "make the volume $volume, owner $owner"
		return
	}
	[[ -d $path ]] || refuse "the volume $volume says that it is at $path, where no directory is"
	[[ -z $(find "$path" ! \( -user "$owner" -group "$owner" \) -print -quit) ]] || would "give the volume $volume to $owner"
}

# place prints where the volume is on this node, or nothing.
place() { docker volume inspect --format '{{.Mountpoint}}' "$volume" 2>/dev/null || true; }

apply() {
	[[ -n $(place) ]] || docker volume create "$volume" >/dev/null
	local path
	path=$(place)
	# Modes stay: Traefik refuses a file with keys that others may read.
	chown --recursive --no-dereference "$owner:$owner" -- "$path"
}

verify() {
	check
	((skep_changes == 0)) || refuse "the volume $volume is not of $owner"
}

undo() { :; }
