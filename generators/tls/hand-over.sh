# The pairs of clients. Somebody else has a copy of each and nobody can take it back, so a pair that is there is never
# replaced: the next one is laid beside it, and takes its place when the operator says that it was handed over.
#
# DIR/clients/NAME/first         nobody has been told of this pair yet
# DIR/clients/NAME/handed-over   the operator has said that the client has it

# is_sound UNIT AT: nothing but its end is wrong with the pair at AT.
is_sound() { [[ -z $(problems "$1" "$2" | sed '/^expire[sd] /d') ]]; }

# is_waiting UNIT: its next pair is there and works.
is_waiting() { [[ $1 == clients/* && -s $dir/$1/next/cert.pem ]] && is_sound "$1" "$dir/$1/next"; }

# is_past AT: the certificate has expired.
is_past() { (($(days_left "$dir/$1/cert.pem" 2>/dev/null || echo 0) < 0)); }

# is_late UNIT: its next pair would be due, and the one before has expired: nobody can be using that one any more.
is_late() { is_past "$1" && (($(days_left "$dir/$1/next/cert.pem") < margin)); }

# findings prints what a run would change about a unit. A next pair that waits settles what is wrong with a client's own.
findings() {
	if is_waiting "$1" && ! is_late "$1" && [[ -s $dir/$1/cert.pem ]]; then
		mode_problems "$dir/$1/next" key.pem
	else
		problems "$1" "$dir/$1"
	fi
}

# tend_client makes a pair that is missing, and lays the next one beside a pair that is due or asked for.
tend_client() {
	local unit=$1 asked=$2 out
	if [[ -d $dir/$unit/next ]]; then resume "$unit"; fi
	out=$(problems "$unit" "$dir/$unit")
	if [[ $out == "is missing" ]]; then
		if is_waiting "$unit"; then promote "$unit"; else make_pair "$unit" made; fi
		return
	fi
	if [[ $asked == yes || ($asked == due && -n $out) ]]; then
		if is_waiting "$unit" && is_late "$unit"; then promote "$unit"; fi
		if ! is_waiting "$unit"; then make_pair "$unit" made "$unit/next"; fi
	elif [[ -n $out ]] && ! is_waiting "$unit"; then
		say "$unit: ${out//$'\n'/; }; renew it with: --renew DIR $unit"
	fi
	copy_authority "$unit"
	if is_waiting "$unit"; then copy_authority "$unit/next"; fi
}

# promote puts the next pair into its place: the key first, so that resume knows a promotion that was cut off.
promote() {
	local at=$dir/$1
	if [[ -e $at/next/key.pem ]]; then
		mv -f -- "$at/next/key.pem" "$at/key.pem"
	elif ! same_key "$at/next/cert.pem" "$at/key.pem"; then
		rm -f -- "$at/key.pem" # the client's own, and nobody else has it
	fi
	mv -f -- "$at/next/cert.pem" "$at/cert.pem"
	rm -rf -- "$at/next"
	cp "$dir/ca.pem" "$dir/.work/copy.pem"
	mv -f -- "$dir/.work/copy.pem" "$at/ca.pem"
	echo "$1: the next pair is in its place"
}

# resume ends a promotion that was cut off.
resume() {
	local at=$dir/$1
	if [[ ! -e $at/next/cert.pem ]]; then
		rm -rf -- "$at/next"
	elif [[ ! -e $at/next/key.pem ]] && same_key "$at/next/cert.pem" "$at/key.pem"; then
		promote "$1"
	fi
}

# hand_over prints a line for each pair that somebody has to be given.
hand_over() {
	local unit name why
	for unit in "${units[@]}"; do
		name=${unit#clients/}
		if is_waiting "$unit"; then
			why=$(life "$(days_left "$dir/$unit/cert.pem")")
			printf '%s: the pair in use %s. Give %q to %s, then: %s\n' "$unit" "$why" "$dir/$unit/next" "$name" "$(acknowledge "$name")"
		elif [[ $unit == clients/* && -e $dir/$unit/first ]]; then
			printf '%s: its first pair. Give %q to %s\n' "$unit" "$dir/$unit" "$name"
		fi
	done
}

# acknowledge NAME prints the command that ends its line of hand_over.
acknowledge() {
	if [[ $dir == "$(default_directory)" ]]; then
		printf '%q --handed-over %q' "${BASH_SOURCE[0]}" "$1"
	else
		printf '%q --handed-over %q %q' "${BASH_SOURCE[0]}" "$dir" "$1"
	fi
}

# default_directory prints where runbook.sh keeps the pairs when nobody names another directory.
default_directory() { printf '%s.state/certs' "$(realpath -m -- "$(dirname -- "${BASH_SOURCE[0]}")/..")"; }

# handed_over NAME takes the next pair into use. Saying it twice is harmless.
handed_over() {
	local unit=clients/${1#clients/} name=${1#clients/}
	if [[ -z ${names[$unit]+known} ]]; then fail 2 "$1: no such client; want one of: ${clients[*]}"; fi
	if [[ ! -s $dir/ca.pem ]]; then fail 3 "$dir holds no authority; name the directory: --handed-over DIR $name"; fi
	set -E
	trap 'exit 4' ERR
	hold
	resume "$unit"
	if [[ -e $dir/$unit/next ]] && ! is_waiting "$unit"; then
		fail 3 "$unit/next: $(problems "$unit" "$dir/$unit/next" | head -n 1); make it anew with: --renew $dir $unit"
	elif [[ -e $dir/$unit/next ]]; then
		promote "$unit"
	elif [[ -e $dir/$unit/first ]]; then
		echo "$unit: $name has its first pair"
	elif [[ -e $dir/$unit/handed-over ]]; then
		echo "$unit: $name has it already"
	else
		fail 3 "$unit: there is nothing to hand over; its pair $(life "$(days_left "$dir/$unit/cert.pem")")"
	fi
	rm -f -- "$dir/$unit/first"
	: >"$dir/$unit/handed-over"
}
