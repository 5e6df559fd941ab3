# Each node makes its own key of the mesh. The private half stays in its file.

files() { printf '%s\n' "${mesh_sources[0]}"; }

check() {
	would_install "${mesh_sources[0]}" "$mesh_command"
	[[ -s $mesh_private_key ]] || would "make $mesh_private_key"
}

apply() {
	put "${mesh_sources[0]}" "$mesh_command" 0755
	"$mesh_command" key >/dev/null
}

verify() {
	nothing_left 'the key was not made'
	say "the public key of $host is $("$mesh_command" key)"
}
