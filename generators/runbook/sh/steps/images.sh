# The images that a node's tasks need, pulled, or loaded from archives where there is no registry.

readonly amiss='an image is missing'

# missing prints the images that this node needs and lacks.
missing() {
	local row image group
	for row in "${images[@]}"; do
		read -r image group <<<"$row"
		[[ " all ${role}s $duties " == *" $group "* ]] || continue
		docker image inspect "$image" >/dev/null 2>&1 || printf '%s\n' "$image"
	done
}

check() {
	local image
	need_engine
	while IFS= read -r image; do
		[[ -z $image ]] || would "get $image"
	done < <(missing)
}

# before streams the archives that lie beside the bundle and that the node lacks. An archive is named after its image,
# "/" and ":" written as "_": prom_prometheus_v3.1.0.tar, made by docker save; it may be compressed with gzip.
before() {
	local row image group file archives
	archives=$images_directory
	[[ -d $archives ]] || return 0
	for row in "${images[@]}"; do
		read -r image group <<<"$row"
		[[ " all ${inventory_role[$1]}s ${inventory_duties[$1]} " == *" $group "* ]] || continue
		for file in "$archives/${image//[\/:@]/_}".tar "$archives/${image//[\/:@]/_}".tar.gz; do
			[[ -r $file ]] || continue
			if ask_node "$1" "docker image inspect $image >/dev/null 2>&1 && echo yes || true" | grep yes >/dev/null; then continue; fi
			say "loading $file"
			stream_to "$1" docker load <"$file" || return
		done
	done
}

apply() {
	local image list
	list=$(missing)
	for image in $list; do
		docker pull --quiet "$image" || refuse "$image is not on this node, and pulling it failed" "$(way "$image")"
	done
}

# way IMAGE prints what to do about an image that no registry gives. What docker load brings has no digest.
way() {
	if [[ $1 == *@* ]]; then
		printf 'it is pinned by digest, so it comes from a registry or a mirror of one: let the node reach it, or build without the digest (images.lock)\n'
	else
		printf 'without a registry: docker save %s > images/%s.tar beside the bundle, where it can be had, then run again\n' "$1" "${1//[\/:@]/_}"
	fi
}
