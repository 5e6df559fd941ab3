# The images that a node's tasks need: pulled, or loaded from archives where there is no registry.

readonly amiss='an image is missing, or is not the one that images.lock names'

# needed ROLE DUTIES prints the images that a node needs.
needed() {
	local row image group
	for row in "${images[@]}"; do
		read -r image group <<<"$row"
		[[ " all ${1}s $2 " != *" $group "* ]] || printf '%s\n' "$image"
	done | sort -u
}

# digests IMAGE ARCHITECTURE prints what an engine may call that image: the digest of its manifest, or of its configuration.
# Nothing where no lock says it.
digests() {
	local row image platform manifest config
	for row in "${locked[@]}"; do
		read -r image platform manifest config <<<"$row"
		[[ $image != "$1" || $platform != "linux/$2" ]] || printf '%s %s\n' "$manifest" "$config"
	done
}

# missing prints the images that this node needs and lacks.
missing() {
	local image
	while IFS= read -r image; do
		docker image inspect "$image" >/dev/null 2>&1 || printf '%s\n' "$image"
	done < <(needed "$role" "$duties")
}

# no_other refuses an image that has the name of one in the lock, and is another.
no_other() {
	local image id want
	((${#locked[@]})) || return 0
	while IFS= read -r image; do
		id=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) || continue
		want=$(digests "$image" "$architecture")
		[[ -z $want || " $want " == *" $id "* ]] ||
			refuse "$image is on this node, and is not the image that images.lock names: it is $id, want one of $want" \
				"take its name away, which stops no task (docker image rm --force $image), and run again"
	done < <(needed "$role" "$duties")
}

check() {
	local image
	need_engine
	no_other
	while IFS= read -r image; do would "get $image"; done < <(missing)
}

# before streams the archives that lie beside the bundle and that the node lacks.
before() {
	local image file
	[[ -d $images_directory ]] || return 0
	while IFS= read -r image; do
		[[ $image != *@* ]] || continue # which nothing but a registry gives
		file=$(archive_of "$image" "${inventory_architecture[$1]}")
		[[ -n $file ]] || continue
		if ask_node "$1" "docker image inspect $image >/dev/null 2>&1 && echo yes || true" | grep yes >/dev/null; then continue; fi
		fits "$file" "$image" "${inventory_architecture[$1]}" || return
		say "loading $file"
		stream_to "$1" docker load <"$file" || return
	done < <(needed "${inventory_role[$1]}" "${inventory_duties[$1]}")
}

# archive_of IMAGE ARCHITECTURE prints the archive of an image: linux_arm64/prom_prometheus_v3.1.0.tar, or without the folder
# where all nodes are alike; "/", ":" and "@" are written as "_". It is what docker save makes, perhaps compressed with gzip.
archive_of() {
	local name=${1//[\/:@]/_} file
	for file in "$images_directory/linux_$2/$name".tar{,.gz} "$images_directory/$name".tar{,.gz}; do
		[[ ! -r $file ]] || { printf '%s\n' "$file" && return; }
	done
}

# fits FILE IMAGE ARCHITECTURE: an archive is looked at before anything of it is loaded.
fits() {
	local list want config machine name=${2#docker.io/} # as docker save writes it
	list=$(tar -xOf "$1" --occurrence=1 manifest.json 2>/dev/null) || { say "$1: is no archive of images, or is cut off" && return 1; }
	list=${list//\"docker.io\//\"} list=${list//\"library\//\"}
	[[ $list == *"\"${name#library/}\""* ]] || { say "$1: does not hold $2" && return 1; }
	want=$(digests "$2" "$3")
	[[ -z $want || $list == *"${want##*sha256:}"* ]] || { say "$1: is not the image that images.lock names as $2" && return 1; }
	config=${list#*\"Config\"*:*\"}
	machine=$(tar -xOf "$1" --occurrence=1 -- "${config%%\"*}" 2>/dev/null | sed -n 's/.*"architecture": *"\([a-z0-9]*\)".*/\1/p') || true
	[[ -z $machine || $machine == "$3" ]] || { say "$1: is an image for $machine, and the node is $3" && return 1; }
}

apply() {
	local image list
	no_other
	list=$(missing)
	for image in $list; do
		[[ $delivery == pull ]] || refuse "$image is not on this node, and no archive of it was found" "$(way "$image")"
		docker pull --quiet "$image" || refuse "$image is not on this node, and pulling it failed" "$(way "$image")"
	done
}

# way IMAGE prints what to do about an image that no registry gives. What docker load brings has no digest.
way() {
	if [[ $1 == *@* ]]; then
		printf 'it is pinned by digest, so it comes from a registry or a mirror of one: let the node reach it, or bring archives (images.delivery: "load")\n'
	else
		printf 'images/fetch.sh or docker save %s > images/%s.tar where it can be had; then run again with --images images\n' "$1" "${1//[\/:@]/_}"
	fi
}
