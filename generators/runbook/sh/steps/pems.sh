# PEM files that are made on the operator's machine and taken to a node. The step has their names in pems.

# hand_over DIRECTORY STEP AUTHORITY SCRIPT: their digests, and in apply the files themselves; or that they are still missing,
# since the step that makes them comes first. AUTHORITY is the file of who signs them, and SCRIPT makes one.
hand_over() {
	local pem lacking='' known=no
	for pem in "${pems[@]}"; do
		[[ -r $1/$pem ]] || lacking="$1 has no $pem yet: the step $2 makes it"
	done
	[[ ! -e $3 ]] || known=yes
	given lacking "$lacking"
	given authority "${3%/*}"
	given maker "$4"
	given authority_known "$known"
	[[ -z $lacking ]] || return 0
	printf 'declare -A want=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(sha256sum <"$1/$pem" | cut -d ' ' -f 1)"; done
	printf ')\n'
	[[ $phase == apply ]] || return 0
	printf 'declare -A pem_of=('
	for pem in "${pems[@]}"; do printf '[%q]=%q ' "$pem" "$(<"$1/$pem")"; done
	printf ')\n'
}

# would_install_pems DIRECTORY. A node that has the work of an authority which is not on this machine would lose it to a new one,
# and with it everybody whose certificate the old one signed: a state directory that was left behind is no reason for that.
would_install_pems() {
	local pem
	if [[ $authority_known == no && -e $1/${pems[0]} ]]; then
		refuse "$1/${pems[0]} is of an authority that is not in $authority: a second one would be made, and whoever has a certificate of the first shut out" \
			"copy $authority from the machine that made it (or name its state directory with --state); to have a new one all the same, make it first: $maker $authority"
	fi
	[[ -z $lacking ]] || unknown "$lacking"
	for pem in "${pems[@]}"; do
		[[ $(sum_of "$1/$pem") == "${want[$pem]}" ]] || would "install $1/$pem"
	done
}

# need_pems stops an apply that has nothing to install.
need_pems() { [[ -z $lacking ]] || refuse "$lacking"; }
