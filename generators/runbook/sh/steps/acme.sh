# The volume where Traefik keeps what the ACME authority gave it. Traefik is not root, and an older bundle had it be.

readonly amiss="the volume $acme_volume is not of $traefik_uid"

check() {
	need_engine
	local path
	path=$(place)
	[[ -n $path ]] || {
		would "make the volume $acme_volume, owner $traefik_uid"
		return
	}
	[[ -d $path ]] || refuse "the volume $acme_volume says that it is at $path, where no directory is"
	[[ -z $(find "$path" ! \( -user "$traefik_uid" -group "$traefik_uid" \) -print -quit) ]] || would "give the volume $acme_volume to $traefik_uid"
}

# place prints where the volume is on this node, or nothing.
place() { docker volume inspect --format '{{.Mountpoint}}' "$acme_volume" 2>/dev/null || true; }

apply() {
	[[ -n $(place) ]] || docker volume create "$acme_volume" >/dev/null
	local path
	path=$(place)
	# Modes stay: Traefik refuses a file with keys that others may read.
	chown --recursive --no-dereference "$traefik_uid:$traefik_uid" -- "$path"
}
