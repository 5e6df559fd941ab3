# What measures when the certificates of a manager's Docker API end. Monitoring reads its directory on every node.

files() {
	[[ $role == manager ]] || return 0
	printf '%s\n' engine/skep-certificates.sh engine/skep-certificates.service engine/skep-certificates.timer
}

readonly timer=${timer_path##*/} directory=${measures%/*}

# measured: since the certificate is there.
measured() { [[ -s $measures && ! $tls_directory/server-cert.pem -nt $measures ]]; }

check() {
	[[ -d $directory ]] || would "make $directory"
	[[ $role == manager ]] || return 0
	would_install engine/skep-certificates.sh "$command_path"
	would_install engine/skep-certificates.service "$service_path"
	would_install engine/skep-certificates.timer "$timer_path"
	systemctl is-enabled --quiet "$timer" 2>/dev/null || would "enable $timer"
	measured || would 'measure when the certificates end'
}

apply() {
	install -d -m 0755 -- "$directory"
	[[ $role == manager ]] || return 0
	put engine/skep-certificates.sh "$command_path" 0755
	put engine/skep-certificates.service "$service_path" 0644
	put engine/skep-certificates.timer "$timer_path" 0644
	systemctl daemon-reload
	systemctl enable --quiet "$timer"
	"$command_path"
	systemctl restart "$timer"
}

verify() {
	check
	((skep_changes == 0)) || refuse 'nobody would notice when the certificates of the Docker API end'
}

undo() {
	systemctl disable --quiet --now "$timer" 2>/dev/null || true
	take_back "$timer_path"
	take_back "$service_path"
	take_back "$command_path"
	systemctl daemon-reload
	rm -f -- "$measures" "$measures".*
	# Whatever else is measured there stays.
	rmdir -- "$directory" 2>/dev/null || true
}
