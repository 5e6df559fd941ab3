# What measures when certificates expire, on every node. Monitoring reads its directory; runbook.sh status and verify read
# what check prints: "expires SECONDS DAYS-TO-WARN WHAT NAME" and "unmeasured WHAT NAME".

readonly amiss='nobody would notice when a certificate expires'

files() { printf '%s\n' engine/skep-certificates.sh engine/skep-certificates.service engine/skep-certificates.timer; }

readonly timer=${watch_timer##*/} directory=${measures%/*}
readonly patience=7200 # seconds that a measure is believed

prepare() {
	given wanted "$(rows)"
	given wanted_trust "$(trust)"
}

# rows prints what expires on the host, and what is told there. No key is read.
rows() {
	local duties=" ${inventory_duties[$host]} " at=${inventory_address[$host]} name
	[[ $at != *:* ]] || at="[$at]"
	printf 'swarm-node %s file %s\n' "$host" "$swarm_certificate"
	if [[ $role == manager ]]; then
		printf '%s %s file %s\n' docker-api-authority "$tls_directory/ca.pem" "$tls_directory/ca.pem" \
			docker-api-server "$tls_directory/server-cert.pem" "$tls_directory/server-cert.pem"
		for name in "${clients[@]}"; do dated docker-api-client "$name" "$state/certs/clients/$name/cert.pem"; done
	fi
	if [[ $duties == *' traefik '* ]]; then
		for name in "${web_names[@]}"; do printf 'web %s served %s:%d\n' "$name" "$at" "$web_port"; done
	fi
	if [[ $duties == *' vpn '* ]]; then
		for name in "${vpn_files[@]}"; do printf '%s %s file %s\n' "${name% *}" "${name#* }" "${name#* }"; done
		for name in "$state"/vpn/clients/*/cert.pem; do
			name=${name%/cert.pem}
			dated vpn-client "${name##*/}" "$name/cert.pem"
		done
	fi
}

# dated WHAT NAME FILE: a certificate that somebody else uses. Who has let one expire a month ago no longer uses it.
dated() {
	local end
	[[ -s $3 && $2 =~ ^[A-Za-z0-9.-]+$ ]] || return 0
	end=$(openssl x509 -noout -enddate -in "$3") && end=$(date -d "${end#*=}" +%s) || return 0
	((end > EPOCHSECONDS - 30 * 86400)) || return 0
	printf '%s %s date %d\n' "$1" "$2" "$end"
}

# trust prints the authority of the web certificate, where it is one that the system does not know.
trust() {
	local file
	case $web_certificate in
	selfSigned) file=$state/certs/ca.pem ;;
	files) file=$(handed_file web-certificate) ;;
	*) file='' ;;
	esac
	if [[ -n $web_root ]]; then
		printf '%s\n' "$web_root"
	elif [[ -n $file && -s $file ]]; then
		openssl crl2pkcs7 -nocrl -certfile "$file" 2>/dev/null | openssl pkcs7 -print_certs 2>/dev/null | sed -n '/BEGIN CERT/,/END CERT/p' || true
	fi
}

# measured: not long ago, and since what is watched was last changed.
measured() {
	local when
	[[ -s $measures && ! $watch_list -nt $measures && ! $web_trust -nt $measures && ! $tls_directory/server-cert.pem -nt $measures ]] || return 1
	when=$(sed -n 's/^skep_measured_seconds //p' "$measures")
	[[ -n $when ]] && ((EPOCHSECONDS - when < patience))
}

check() {
	[[ -d $directory ]] || would "make $directory"
	would_install engine/skep-certificates.sh "$watch_command"
	would_install engine/skep-certificates.service "$watch_service"
	would_install engine/skep-certificates.timer "$watch_timer"
	systemctl is-enabled --quiet "$timer" 2>/dev/null || would "enable $timer"
	has_text "$watch_list" "$wanted" || would 'write what expires here'
	# An authority that was handed over and is no longer on this machine stays believed.
	[[ -z $wanted_trust ]] || has_text "$web_trust" "$wanted_trust" || would 'write the authority of the web certificate'
	if ! measured; then
		would 'measure what expires'
	elif ((skep_changes == 0)); then
		report
	fi
}

report() {
	sed -n 's/^skep_certificate_not_after_seconds{what="\([^"]*\)",name="\([^"]*\)"} \([0-9]*\)$/expires \3 '"$warn_days"' \1 \2/p
		s/^skep_measure_failed{what="\([^"]*\)",name="\([^"]*\)"} 1$/unmeasured \1 \2/p' "$measures"
}

# keep TEXT FILE writes public text for root's programs.
keep() {
	printf '%s\n' "$1" >"$2.skep-new"
	mv -f -- "$2.skep-new" "$2"
}

apply() {
	install -d -m 0755 -- "$directory"
	put engine/skep-certificates.sh "$watch_command" 0755
	put engine/skep-certificates.service "$watch_service" 0644
	put engine/skep-certificates.timer "$watch_timer" 0644
	has_text "$watch_list" "$wanted" || keep "$wanted" "$watch_list"
	[[ -z $wanted_trust ]] || has_text "$web_trust" "$wanted_trust" || keep "$wanted_trust" "$web_trust"
	systemctl daemon-reload
	systemctl enable --quiet "$timer"
	# What cannot be measured yet is said, and measured again by the timer.
	"$watch_command" || true
	systemctl restart "$timer"
}

undo() {
	systemctl disable --quiet --now "$timer" 2>/dev/null || true
	# The timer may have started it just now, and it would end after what it reads is gone.
	systemctl stop "${watch_service##*/}" 2>/dev/null || true
	take_back "$watch_timer"
	take_back "$watch_service"
	take_back "$watch_command"
	systemctl daemon-reload
	# Its last measure may have failed: later steps are undone first.
	systemctl reset-failed "${watch_service##*/}" 2>/dev/null || true
	rm -f -- "$measures" "$measures".* "$watch_list" "$web_trust"
	# Whatever else is measured there stays.
	rmdir -- "$directory" 2>/dev/null || true
}
