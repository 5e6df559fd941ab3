# The settings of an overlay network, which Docker never changes.

differing=() # lines that say what it is, and what is wanted

# differs NAME ATTACHABLE INTERNAL ENCRYPTED MTU SUBNETS: a network of that name has other settings. For "-" the MTU is
# Docker's own, and any subnet will do; several are sorted, with commas.
differs() {
	local options got_encrypted=false got_mtu have want="overlay swarm $2 $3 $4 ${5/#-/1500}"
	options=$(docker network inspect --format '{{range $k, $v := .Options}}{{$k}}={{$v}};{{end}}' "$1")
	[[ ";$options" != *';encrypted='* ]] || got_encrypted=true
	got_mtu=$(sed -n 's/.*com\.docker\.network\.driver\.mtu=\([0-9]*\).*/\1/p' <<<"$options")
	have=$(docker network inspect --format '{{.Driver}} {{.Scope}} {{.Attachable}} {{.Internal}}' "$1")" $got_encrypted ${got_mtu:-1500}"
	if [[ $6 != - ]]; then
		have+=" $(docker network inspect --format '{{range .IPAM.Config}}{{println .Subnet}}{{end}}' "$1" | sed '/^$/d' | sort | paste -sd , -)"
		want+=" $6"
	fi
	differing=("it is:   $have" "want:    $want    (driver scope attachable internal encrypted mtu subnet)")
	[[ $have != "$want" ]]
}
