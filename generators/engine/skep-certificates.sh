# Measures what expires on this node, whether its firewall is settled, and on a manager which services have too few tasks: for
# node-exporter, and for runbook.sh. A reader sees the old file or the new one. What cannot be measured is said in the file, and makes this program end with 1.
#
# The runbook writes $list, a line each: what it is, whose or where it is, and one of
#   file PATH        the first end of the certificates and revocation lists in a PEM file
#   served ADDRESS   the certificate that answers there to the name
#   date SECONDS     the certificate is elsewhere; the operator's machine knows when it expires

export LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022

ends=() failed=() trusted=() missing=()

# seconds_of "notAfter=DATE" or "nextUpdate=DATE"
seconds_of() { date --utc --date="${1#*=}" +%s; }

# first_end FILE prints when the first of the certificates and lists in it ends.
first_end() {
	local line block='' end first=''
	while IFS= read -r line; do
		block+=$line$'\n'
		case $line in
		'-----END CERTIFICATE-----') end=$(openssl x509 -noout -enddate <<<"$block") || return 1 ;;
		'-----END X509 CRL-----') end=$(openssl crl -noout -nextupdate <<<"$block") || return 1 ;;
		*) continue ;;
		esac
		block=''
		end=$(seconds_of "$end") || return 1
		if [[ -z $first ]] || ((end < first)); then first=$end; fi
	done <"$1"
	[[ -n $first ]] && printf '%s' "$first"
}

# handshake NAME ADDRESS OPTION... prints what openssl says of the certificate that is served.
handshake() {
	local name=$1 at=$2
	shift 2
	timeout 20 openssl s_client -connect "$at" -servername "$name" -verify_hostname "$name" "$@" </dev/null 2>/dev/null
}

# verifies NAME ADDRESS: as a visitor would see it. With a trust of our own openssl asks nobody else; certificates that were
# handed over may come from an authority that everybody knows, too.
verifies() {
	local own=()
	[[ ! -s $trust ]] || own=(-partial_chain -CAfile "$trust")
	[[ $(handshake "$1" "$2" "${own[@]}") == *'Verify return code: 0 (ok)'* ]] && return
	[[ $web_certificate == files && -s $trust && $(handshake "$1" "$2") == *'Verify return code: 0 (ok)'* ]]
}

# served_end NAME ADDRESS
served_end() {
	local text
	# No pipe: the reader has enough before the writer is done.
	text=$(handshake "$1" "$2") || true
	text=$(openssl x509 -noout -enddate <<<"$text" 2>/dev/null) || return 1
	seconds_of "$text"
}

measure() {
	local what=$1 name=$2 how=$3 where=$4 end labels
	labels="{what=\"$what\",name=\"$name\"}"
	case $how in
	file) end=$(first_end "$where" 2>/dev/null) || end='' ;;
	served) end=$(served_end "$name" "$where") || end='' ;;
	date) end=$where ;;
	esac
	if [[ -z ${end:-} ]]; then
		failed+=("$labels 1")
		return
	fi
	ends+=("$labels $end")
	if [[ $how == served ]]; then
		if verifies "$name" "$where"; then trusted+=("$labels 1"); else trusted+=("$labels 0"); fi
	fi
}

# tasks notes the services that run fewer tasks than they should. A job that is done has none to run: "0/1 (1/1 completed)".
tasks() {
	local name replicas rest
	[[ $(timeout 20 docker info --format '{{.Swarm.ControlAvailable}}' 2>/dev/null) == true ]] || return 0
	while read -r name replicas rest; do
		[[ $name =~ ^[A-Za-z0-9_.-]+$ && $replicas =~ ^([0-9]{1,9})/([0-9]{1,9})$ && $rest != *completed* ]] || continue
		((BASH_REMATCH[1] >= BASH_REMATCH[2])) || missing+=("{name=\"$name\"} $((BASH_REMATCH[2] - BASH_REMATCH[1]))")
	done < <(timeout 60 docker service ls --format '{{.Name}} {{.Replicas}}' 2>/dev/null)
}

# family NAME HELP VALUE... prints a metric; one without values is left out.
family() {
	local name=$1 help=$2 value
	shift 2
	(($#)) || return 0
	printf '# HELP %s %s\n# TYPE %s gauge\n' "$name" "$help" "$name"
	for value; do printf '%s%s\n' "$name" "$value"; done
}

while read -r what name how where; do measure "$what" "$name" "$how" "$where"; done <"$list"
tasks
settled=0
if timeout 60 "$firewall" status >/dev/null 2>&1; then settled=1; fi
new=$measures.$$ # the timer and the runbook may call at once
trap 'rm -f -- "$new"' EXIT
{
	family skep_certificate_not_after_seconds 'When a certificate or a revocation list expires, in seconds since 1970.' "${ends[@]}"
	family skep_certificate_trusted 'Whether a visitor of that name believes the certificate that is served.' "${trusted[@]}"
	family skep_measure_failed 'What could not be measured.' "${failed[@]}"
	family skep_service_tasks_missing 'How many tasks a service of the swarm runs fewer than it should.' "${missing[@]}"
	family skep_firewall_settled 'Whether the rules of the firewall are loaded as confirmed.' " $settled"
	family skep_measured_seconds 'When this was measured, in seconds since 1970.' " $(date +%s)"
} >"$new"
mv -f -- "$new" "$measures"
((${#failed[@]} == 0))
