# The cluster's own certificate authority and everything it signs. It runs on the operator's machine, with openssl alone.
#
# DIR/ca.pem  DIR/ca-key.pem                                 the authority; its key may be kept elsewhere between runs
# DIR/servers/NODE/{ca.pem,server-cert.pem,server-key.pem}   the Docker API of a manager
# DIR/clients/NAME/{ca.pem,cert.pem,key.pem}                 a consumer of the Docker API, whose key.pem may be kept elsewhere
# DIR/clients/NAME/next/                                     the pair that it is to be given before the one above expires
# DIR/web/{web.crt,web.key}                                  the web pages, when they are self-signed
#
# A pair is made in DIR/.work and moved into place as one directory, so a run that is cut off leaves no half pair.
# Exit: 0 good, 1 findings of --check, 2 usage, 3 refused, 4 anything else.

export LC_ALL=C
umask 077
script=${BASH_SOURCE[0]##*/}

# --check wants this many days of life left, and --renew renews what has fewer: 30, or a third of a short life.
margin=30
if ((days < 3 * margin)); then margin=$((days / 3)); fi
day=86400

# The names that each pair must carry, filled by read_spec: DNS:... and IP:..., separated by commas.
declare -A names=()
units=()

usage() {
	cat <<EOF
usage: $script DIR                      make what is missing in DIR; nothing that is there changes
       $script --renew DIR              renew, with new keys, what expires within $margin days or differs from the spec
       $script --renew DIR WHAT         renew WHAT: all, or names such as servers/NODE, clients/NAME and web
       $script --check DIR              verify every pair: signature, purpose, names, key, days left and modes
       $script --hand-over DIR          say which pairs somebody has to be given
       $script --handed-over [DIR] NAME NAME has it: clients/NAME/next takes the place of clients/NAME
A client's pair is never replaced: --renew lays the next one beside it, in clients/NAME/next, and both are good until they expire.
Without DIR, --handed-over looks beside the bundle, where runbook.sh keeps its state.
EOF
}

say() { printf '%s: %s\n' "$script" "$*" >&2; }

fail() {
	local code=$1
	shift
	say "$@"
	exit "$code"
}

# quiet runs a command and shows what it printed only when it breaks, as one line.
quiet() {
	local out
	if ! out=$("$@" 2>&1); then
		out=${out//$'\n'/; }
		fail 4 "${*:1:2}: ${out:-no answer}"
	fi
}

read_spec() {
	local i
	for i in "${!servers[@]}"; do
		units+=("servers/${servers[i]}")
		names["servers/${servers[i]}"]=${server_names[i]}
	done
	for i in "${clients[@]}"; do
		units+=("clients/$i")
		names["clients/$i"]=
	done
	if ((${#web_names[@]})); then
		local IFS=,
		units+=(web)
		names[web]="${web_names[*]}"
	fi
}

# cert_of and key_of name the files of a unit, purpose_of what its certificate is for.
cert_of() { case $1 in servers/*) echo server-cert.pem ;; clients/*) echo cert.pem ;; web) echo web.crt ;; esac }
key_of() { case $1 in servers/*) echo server-key.pem ;; clients/*) echo key.pem ;; web) echo web.key ;; esac }
purpose_of() { case $1 in clients/*) echo client ;; *) echo server ;; esac }

# config prints an openssl configuration: the subject, and the extensions of the authority or of one pair.
# Subjects are made of the cluster's and the node's name, which the spec keeps within the 64 characters of X.520.
config() {
	local unit=$1 subject=${1#*/}
	# The space keeps the authority's name from being that of a node.
	if [[ $unit == authority ]]; then subject="$cluster authority"; fi
	printf '[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = subject\n'
	printf '[subject]\nO = skep %s\nCN = %s\n[extensions]\nsubjectKeyIdentifier = hash\n' "$cluster" "$subject"
	if [[ $unit == authority ]]; then
		printf 'basicConstraints = critical,CA:TRUE,pathlen:0\nkeyUsage = critical,keyCertSign,cRLSign\n'
		return
	fi
	printf 'basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nauthorityKeyIdentifier = keyid:always\n'
	printf 'extendedKeyUsage = %sAuth\n' "$(purpose_of "$unit")"
	if [[ -n ${names[$unit]} ]]; then printf 'subjectAltName = %s\n' "${names[$unit]}"; fi
}

new_key() { quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out "$1"; }

serial() { printf '0x%s' "$(openssl rand -hex 16)"; }

# days_left prints the whole days until a certificate expires; less than none is negative.
days_left() {
	local end
	end=$(openssl x509 -noout -enddate -in "$1") || return 1
	end=$(date -d "${end#notAfter=}" +%s)
	echo $(((end - $(date +%s)) / day))
}

# life prints days in words.
life() { if (($1 < 0)); then echo "expired $((-$1)) days ago"; else echo "expires in $1 days"; fi; }

same_key() {
	local of_cert of_key
	of_cert=$(openssl x509 -noout -pubkey -in "$1" 2>/dev/null) || return 1
	of_key=$(openssl pkey -pubout -in "$2" 2>/dev/null) || return 1
	[[ -n $of_cert && $of_cert == "$of_key" ]]
}

# wrong_names prints the difference between a certificate's names and the spec's. openssl compares IPv6 addresses itself,
# since it prints them in a form of its own.
wrong_names() {
	local cert=$1 want=$2 name have
	local -a list
	IFS=, read -r -a list <<<"$want"
	have=$(openssl x509 -noout -ext subjectAltName -in "$cert" 2>/dev/null | sed -n 's/^ *\(DNS:\|IP Address:\)/, \1/p')
	for name in "${list[@]}"; do
		case $name in
		IP:*:*) if [[ $(openssl x509 -noout -checkip "${name#IP:}" -in "$cert" 2>&1 || true) == *"does match"* ]]; then continue; fi ;;
		*) if [[ "$have," == *", ${name/#IP:/IP Address:},"* ]]; then continue; fi ;;
		esac
		echo "lacks ${name#*:}"
	done
	have=${have//[!,]/}
	if ((${#have} > ${#list[@]})); then echo "has $((${#have} - ${#list[@]})) more than the spec"; fi
}

# problems prints what is wrong with the pair of a unit in a directory, a line each.
problems() {
	local unit=$1 at=$2 cert key ca=$dir/ca.pem out left
	cert=$at/$(cert_of "$unit") key=$at/$(key_of "$unit")
	# A client may have its key, and nobody else.
	if [[ ! -s $cert || (! -s $key && $unit != clients/*) ]]; then
		echo "is missing"
		return
	fi
	if ! out=$(openssl verify -x509_strict -purpose "ssl$(purpose_of "$unit")" -no-CApath -CAfile "$ca" "$cert" 2>&1); then
		out=$(sed -n 's/^error [0-9]* at [0-9]* depth lookup: *//p' <<<"$out" | head -n 1)
		echo "does not verify: ${out:-not a certificate}"
	fi
	if [[ -e $key ]] && ! same_key "$cert" "$key"; then echo "key and certificate do not belong together"; fi
	if [[ -n ${names[$unit]} ]]; then
		out=$(wrong_names "$cert" "${names[$unit]}")
		if [[ -n $out ]]; then echo "differs from the spec: ${out//$'\n'/, }"; fi
	fi
	if ! left=$(days_left "$cert" 2>/dev/null); then
		echo "its end is not readable"
	elif ((left < margin)); then
		echo "$(life "$left"), want at least $margin"
	fi
}

# mode_problems prints what others than the owner could read or write.
mode_problems() {
	local at=$1 key=$2 mode
	mode=$(stat -c %a "$at")
	if [[ $mode != 700 ]]; then echo "directory has mode $mode, want 700"; fi
	if [[ -e $at/$key ]]; then
		mode=$(stat -c %a "$at/$key")
		if [[ $mode != 600 ]]; then echo "$key has mode $mode, want 600"; fi
	fi
}

# place moves a finished directory to its name; the directory that was there goes first.
place() {
	mkdir -p "$dir/$(dirname "$2")"
	if [[ -e $dir/$2 ]]; then mv -T "$dir/$2" "$dir/.work/old.${2//\//.}"; fi
	mv -T "$1" "$dir/$2"
}

make_authority() {
	local work=$dir/.work
	if [[ -s $dir/ca.pem ]]; then return; fi
	if [[ -e $dir/ca-key.pem ]] && ! openssl pkey -noout -in "$dir/ca-key.pem" 2>/dev/null; then
		fail 3 "ca-key.pem is not a private key; put the right one back or remove it"
	fi
	if [[ ! -e $dir/ca-key.pem ]]; then
		local -a orphans=("$dir"/servers/*/*.pem "$dir"/clients/*/*.pem "$dir"/web/*)
		if ((${#orphans[@]})); then fail 3 "ca.pem and ca-key.pem are gone but $dir holds pairs; put them back, or begin in an empty directory"; fi
		new_key "$work/ca-key.pem"
		mv "$work/ca-key.pem" "$dir/ca-key.pem"
	fi
	config authority >"$work/ca.cnf"
	quiet openssl req -new -x509 -sha256 -key "$dir/ca-key.pem" -days "$ca_days" -set_serial "$(serial)" \
		-config "$work/ca.cnf" -extensions extensions -out "$work/ca.pem"
	mv "$work/ca.pem" "$dir/ca.pem"
	echo "made ca.pem"
}

# make_pair UNIT VERB [PLACE] makes a pair and puts it into its place, the unit's own or another one.
make_pair() {
	local unit=$1 verb=$2 new lasting=$days left out at=${3:-$1}
	if [[ ! -s $dir/ca-key.pem ]]; then fail 3 "$unit: ca-key.pem is not in $dir; bring it back to sign"; fi
	if ! same_key "$dir/ca.pem" "$dir/ca-key.pem"; then fail 3 "ca-key.pem does not belong to ca.pem"; fi
	left=$(days_left "$dir/ca.pem")
	if ((left < 1)); then fail 3 "the authority $(life "$left"); begin a new one in an empty directory"; fi
	# A certificate that outlives its authority is good for nothing.
	if ((left < lasting)); then lasting=$left; fi
	new=$dir/.work/${unit//\//.}
	mkdir "$new"
	config "$unit" >"$new.cnf"
	new_key "$new/$(key_of "$unit")"
	quiet openssl req -new -sha256 -key "$new/$(key_of "$unit")" -config "$new.cnf" -out "$new.csr"
	quiet openssl x509 -req -sha256 -in "$new.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca-key.pem" -set_serial "$(serial)" \
		-days "$lasting" -extfile "$new.cnf" -extensions extensions -out "$new/$(cert_of "$unit")"
	if [[ $unit != web ]]; then cp "$dir/ca.pem" "$new/ca.pem"; fi
	out=$(problems "$unit" "$new" | sed '/^expires in/d')
	if [[ -n $out ]]; then fail 4 "$unit: the new pair ${out//$'\n'/; }"; fi
	if [[ $unit == clients/* && $at == "$unit" ]]; then : >"$new/first"; fi
	place "$new" "$at"
	if [[ $verb-$unit == renewed-web ]]; then at+="; raise services.traefik.certificate.revision to put it into service"; fi
	if [[ $at == */next ]]; then at+="; --hand-over says who is to get it"; fi
	echo "$verb $at"
}

# tend_pair makes a missing pair and renews one that is asked for; "due" asks for those that have a problem.
tend_pair() {
	local unit=$1 asked=$2 out
	if [[ $unit == clients/* ]]; then
		tend_client "$unit" "$asked"
		return
	fi
	out=$(problems "$unit" "$dir/$unit")
	if [[ $out == "is missing" ]]; then
		make_pair "$unit" made
		return
	fi
	if [[ $asked == yes || ($asked == due && -n $out) ]]; then
		make_pair "$unit" renewed
		return
	fi
	if [[ -n $out ]]; then say "$unit: ${out//$'\n'/; }; renew it with: --renew DIR $unit"; fi
	if [[ $unit != web ]]; then copy_authority "$unit"; fi
}

# copy_authority AT puts the authority beside a pair.
copy_authority() {
	if cmp -s "$dir/ca.pem" "$dir/$1/ca.pem"; then return; fi
	cp "$dir/ca.pem" "$dir/.work/copy.pem"
	mv "$dir/.work/copy.pem" "$dir/$1/ca.pem"
	echo "copied ca.pem to $1"
}

# guard refuses directories in which keys would be published, or that are somebody else's.
guard() {
	local bundle entry
	bundle=$(realpath -m -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
	if [[ -e $bundle/MANIFEST && $dir/ == "$bundle"/* ]]; then
		fail 3 "$dir is inside the bundle, which is published; name a directory outside of it"
	fi
	if [[ -e $dir && ! -d $dir ]]; then fail 3 "$dir is not a directory"; fi
	if [[ -e $dir/ca.pem || -e $dir/ca-key.pem || -d $dir/.work ]]; then return; fi
	for entry in "$dir"/* "$dir"/.[!.]*; do
		if [[ ${entry##*/} != .gitignore ]]; then
			fail 3 "$dir is not empty and holds no authority; name a new directory"
		fi
	done
}

# hold prepares the directory and keeps other runs out until this one ends.
hold() {
	local above
	mkdir -p -- "$dir" 2>/dev/null || fail 4 "$dir: no such directory can be made"
	chmod 700 -- "$dir" 2>/dev/null || fail 4 "$dir: its mode stays open to others"
	exec {lock}<"$dir"
	flock -w 10 "$lock" || fail 4 "another run is at work in $dir"
	rm -rf -- "$dir/.work"
	mkdir -- "$dir/.work"
	trap 'rm -rf -- "$dir/.work"' EXIT
	if [[ -e $dir/.gitignore ]]; then return; fi
	# git must never pick up a key, wherever the directory is.
	echo '*' >"$dir/.work/gitignore"
	mv "$dir/.work/gitignore" "$dir/.gitignore"
	above=$dir
	while [[ $above != / ]]; do
		above=$(dirname -- "$above")
		if [[ -e $above/.git ]]; then say "$dir is in the git work tree $above; its .gitignore keeps the keys out of commits"; fi
	done
}

# tell_strangers names pairs that the spec knows no more. They stay valid: dockerd reads no revocation list.
tell_strangers() {
	local at unit
	for at in "$dir"/servers/* "$dir"/clients/* "$dir"/web; do
		unit=${at#"$dir"/}
		if [[ -d $at && -z ${names[$unit]+known} ]]; then
			say "$unit: is not in the spec; its certificate stays good until it expires, so delete its key"
		fi
	done
}

generate() {
	local asked=$1 unit
	shift
	# A command that breaks has said why; exit 1 is for findings.
	set -E
	trap 'exit 4' ERR
	guard
	hold
	make_authority
	for unit in "${units[@]}"; do
		if [[ $asked == named && " $* " == *" $unit "* ]]; then
			tend_pair "$unit" yes
		elif [[ $asked == named ]]; then
			tend_pair "$unit" no
		else
			tend_pair "$unit" "$asked"
		fi
	done
	tell_strangers
}
