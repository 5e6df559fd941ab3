# Writes images.lock, which says of every image what its name stands for in its registry. It runs where the registries are
# within reach, with the logins that skopeo has, and fetches manifests alone.

usage() {
	cat <<'END'
Usage: images/lock.sh [--platform PLATFORM]... FILE [LIST]

Writes images.lock as FILE, for the images of LIST, one a line: images.txt of this bundle unless told, - for stdin. An image
with a digest keeps it. FILE stays as it is when something fails. Needs skopeo and jq.

  --platform  such as linux/arm64, instead of those of the spec
END
}

# row PLATFORM MANIFEST prints what the lock says of a platform, whose manifest is in the file one.
row() {
	jq --exit-status --raw-output --arg platform "$1" --arg manifest "$2" '
		select(.config.digest | strings | test("^sha256:[0-9a-f]{64}$"))
			| "        \"\($platform)\": {\"manifest\": \"\($manifest)\", \"config\": \"\(.config.digest)\", \"size\": \([.config.size, .layers[].size] | add)}"
	' "$work/one"
}

# add_row PLATFORM MANIFEST
add_row() {
	local text
	text=$(row "$1" "$2") || fail "$name: $1: is not an image" 1
	rows+=("$text")
}

# lock_image NAME REFERENCE prints an entry of the lock.
lock_image() {
	local index name=$1 rows=()
	each_platform "$1" "$2" add_row
	printf '    {\n      "image": "%s",\n      "index": "%s",\n      "platforms": {\n' "$1" "$index"
	joined "${rows[@]}"
	printf '      }\n    }'
}

# joined prints lines with commas between them.
joined() {
	printf '%s' "$1"
	shift
	(($# == 0)) || printf ',\n%s' "$@"
	printf '\n'
}

lock() {
	local name comma=''
	printf '{\n  "schema": "skep.dev/images/v1",\n  "images": [\n'
	while IFS= read -r name; do
		printf '%s' "$comma"
		comma=$',\n'
		lock_image "$name" "${images[$name]}"
	done < <(printf '%s\n' "${!images[@]}" | LC_ALL=C sort)
	printf '\n  ]\n}\n'
}

wants=FILE
start skopeo jq -- "$@"
file=${rest[0]}
lock >"$work/lock"
cp -- "$work/lock" "$file.new" && mv -f -- "$file.new" "$file" || fail "$file: cannot be written"
printf '%s: %d images for %s\n' "$file" "${#images[@]}" "${platforms[*]}" >&2
