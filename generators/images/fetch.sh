# Fetches the images as archives, to be carried to where no registry is. It runs where the registries are within reach, with
# the logins that skopeo has.

usage() {
	cat <<'END'
Usage: images/fetch.sh [--platform PLATFORM]... DIR [LIST]

Fetches the images of LIST, one a line, into archives below DIR: images.txt of this bundle unless told, - for stdin. What
images.lock names is fetched by its digest. An archive that is there already stays. runbook.sh run --images DIR loads them,
into any Docker engine. Needs skopeo, jq and tar.

  --platform  such as linux/arm64, instead of those of the spec
END
}

# familiar IMAGE prints it as Docker shows it: without the registry that it takes for granted.
familiar() {
	local name=${1#docker.io/}
	printf '%s\n' "${name#library/}"
}

# full IMAGE prints it with its registry.
full() {
	local name first
	name=$(familiar "$1")
	first=${name%%/*}
	if [[ $name != */* ]]; then
		name=docker.io/library/$name
	elif [[ $first != *[.:]* && $first != localhost ]]; then
		name=docker.io/$name
	fi
	printf '%s\n' "$name"
}

# known IMAGE PLATFORM prints the digest of its manifest in images.lock, if it is there.
known() {
	local row image platform manifest
	for row in "${locked[@]}"; do
		read -r image platform manifest _ <<<"$row"
		[[ $image != "$1" || $platform != "$2" ]] || printf '%s\n' "$manifest"
	done
}

# archive PLATFORM MANIFEST writes the archive of the image name, whose manifest is in the file one. Older engines read
# manifest.json, newer ones, and those that keep images in containerd, index.json; the layers are as the registry has them.
archive() {
	local file=$directory/${1/\//_}/${name//[\/:@]/_}.tar config tree=$work/tree from=$work/from
	config=$(jq --exit-status --raw-output '.config.digest | strings | select(test("^sha256:[0-9a-f]{64}$"))' "$work/one") || fail "$name: $1: is not an image" 1
	if [[ -r $file ]] && tar -xOf "$file" --occurrence=1 manifest.json 2>/dev/null | grep -F "${config#sha256:}" >/dev/null; then return 0; fi
	rm -rf -- "$tree" "$from"
	mkdir -p -- "$tree/blobs/sha256" "${file%/*}" || fail "${file%/*}: cannot be written"
	skopeo copy --quiet --preserve-digests "docker://$(bare "$name")@$2" "dir:$from" 2>"$work/why" || fail "$name: $(tail -n 1 "$work/why" | sed 's/^time=.*msg=//')"
	exactly "$name" "$from/manifest.json" "$2"
	mv -- "$from/manifest.json" "$tree/blobs/sha256/${2#sha256:}"
	rm -f -- "$from/version"
	mv -- "$from"/* "$tree/blobs/sha256/"
	layout "$2" "$config"
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar -C "$tree" -cf "$file.part" manifest.json index.json oci-layout blobs 2>"$work/why" ||
		{ rm -f -- "$file.part" && fail "$file: $(tail -n 1 "$work/why")"; }
	mv -f -- "$file.part" "$file"
}

# layout MANIFEST CONFIG writes what tells engines how to read the blobs.
layout() {
	local of=$tree/blobs/sha256/${1#sha256:}
	printf '{"imageLayoutVersion":"1.0.0"}' >"$tree/oci-layout"
	jq --compact-output --arg name "$(familiar "$name")" '[{
		Config: ("blobs/" + (.config.digest | sub(":"; "/"))), RepoTags: [$name], Layers: [.layers[].digest | "blobs/" + sub(":"; "/")]
	}]' "$of" >"$tree/manifest.json"
	jq --compact-output --arg digest "$1" --argjson size "$(stat -c %s "$of")" --arg full "$(full "$name")" '{
		schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [{
			mediaType: (.mediaType // "application/vnd.oci.image.manifest.v1+json"), $digest, $size,
			annotations: {"io.containerd.image.name": $full, "org.opencontainers.image.ref.name": ($full | sub(".*:"; ""))}
		}]
	}' "$of" >"$tree/index.json"
}

# fetch_image NAME REFERENCE
fetch_image() {
	local platform manifest index found='' name=$1
	[[ $name != *@* ]] || fail "$name: has no tag, so no engine could load it by name: give it one in the spec" 1
	if ((!${#locked[@]})); then
		each_platform "$name" "$2" archive
		return
	fi
	for platform in "${platforms[@]}"; do
		manifest=$(known "$name" "$platform")
		[[ -n $manifest ]] || continue
		get "$(bare "$name")@$manifest" "$work/one"
		exactly "$name" "$work/one" "$manifest"
		archive "$platform" "$manifest"
		found=yes
	done
	[[ -n $found ]] || fail "$name: is not in images.lock for ${platforms[*]}" 1
}

wants=DIR
start skopeo jq tar -- "$@"
directory=${rest[0]}
mkdir -p -- "$directory" || fail "$directory: cannot be written"
while IFS= read -r name; do
	fetch_image "$name" "${images[$name]}"
done < <(printf '%s\n' "${!images[@]}" | LC_ALL=C sort)
printf '%s: %d images for %s\n' "$directory" "${#images[@]}" "${platforms[*]}" >&2
