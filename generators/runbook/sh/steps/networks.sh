# The overlay networks that several stacks share. Their settings cannot be changed later.

readonly amiss='a network is missing'

# read_row sets the fields of one wanted network.
read_row() {
	read -r name attachable internal encrypted mtu subnet <<<"$1"
}

# is_there NAME
is_there() { docker network inspect "$1" >/dev/null 2>&1; }

check() {
	need_swarm
	local row name attachable internal encrypted mtu subnet
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then compare; else would "create the network $name"; fi
	done
}

# compare refuses a network of the same name that is another one.
compare() {
	local have want options got_encrypted=false got_mtu
	options=$(docker network inspect --format '{{range $k, $v := .Options}}{{$k}}={{$v}};{{end}}' "$name")
	[[ ";$options" != *';encrypted='* ]] || got_encrypted=true
	got_mtu=$(sed -n 's/.*com\.docker\.network\.driver\.mtu=\([0-9]*\).*/\1/p' <<<"$options")
	have=$(docker network inspect --format '{{.Driver}} {{.Scope}} {{.Attachable}} {{.Internal}}' "$name")" $got_encrypted ${got_mtu:-1500}"
	want="overlay swarm $attachable $internal $encrypted $mtu"
	if [[ $subnet != - ]]; then
		have+=" $(docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}}{{end}}' "$name")"
		want+=" $subnet"
	fi
	[[ $have == "$want" ]] || refuse "the network $name exists with other settings" \
		"it is:   $have" "want:    $want    (driver scope attachable internal encrypted mtu subnet)" \
		"way out: docker stack rm the stacks on it, docker network rm $name, then run again; or change the spec"
}

apply() {
	local row name attachable internal encrypted mtu subnet options
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then continue; fi
		options=(--driver overlay --scope swarm --label "skep.cluster=$cluster" --opt "com.docker.network.driver.mtu=$mtu")
		if [[ $attachable == true ]]; then options+=(--attachable); fi
		if [[ $internal == true ]]; then options+=(--internal); fi
		if [[ $encrypted == true ]]; then options+=(--opt encrypted); fi
		if [[ $subnet != - ]]; then options+=(--subnet "$subnet"); fi
		docker network create "${options[@]}" "$name" >/dev/null
		say "created the network $name"
	done
}

undo() {
	local row name attachable internal encrypted mtu subnet
	is_manager || return 0
	for row in "${networks[@]}"; do
		read_row "$row"
		if is_there "$name"; then docker network rm "$name"; fi
	done
}
