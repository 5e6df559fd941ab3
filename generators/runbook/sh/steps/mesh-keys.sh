# Each node makes its own key of the mesh. The private half stays in its file.

files() { printf '%s\n' "$source"; }

check() {
	would_install "$source" "$command"
	[[ -s $private_key ]] || would "make $private_key"
}

apply() {
	put "$source" "$command" 0755
	"$command" key >/dev/null
}

verify() {
	check
	((skep_changes == 0)) || refuse 'the key was not made'
	say "the public key of $host is $("$command" key)"
}

undo() { :; }
