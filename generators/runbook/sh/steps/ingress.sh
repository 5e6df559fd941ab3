# The routing mesh network gets the MTU of the links. It can be made anew only while no service publishes a port through it.

readonly amiss='the network ingress is not as wanted'

# ingress prints "id mtu" of the routing mesh network, if there is one.
ingress() {
	docker network ls --quiet --filter driver=overlay | xargs --no-run-if-empty docker network inspect \
		--format '{{if .Ingress}}{{.ID}} {{index .Options "com.docker.network.driver.mtu"}}{{end}}' | grep . || true
}

check() {
	need_swarm
	local row users
	row=$(ingress)
	if [[ -n $row && ${row#* } == "$mtu" ]]; then return 0; fi
	users=$(meshed)
	[[ -z $row || -z $users ]] || refuse "the network ingress is to be made anew with MTU $mtu, and is in use by: ${users//$'\n'/ }" \
		"take their published ports away for a moment, or --skip ingress and live with an MTU of ${row#* }"
	would "make the network ingress anew with MTU $mtu"
}

# meshed prints the services that publish through the mesh.
meshed() {
	docker service ls --quiet | xargs --no-run-if-empty docker service inspect \
		--format '{{$n := .Spec.Name}}{{range .Endpoint.Ports}}{{if eq .PublishMode "ingress"}}{{$n}} {{end}}{{end}}' | grep . || true
}

gone() { [[ -z $(ingress) ]]; }

apply() {
	local row
	row=$(ingress)
	if [[ -n $row ]]; then
		# Before engine 23 there is no --force here: the question is answered instead.
		printf 'y\n' | docker network rm "${row%% *}" >/dev/null
		wait_for 60 'the old network ingress to go' gone
	fi
	docker network create --driver overlay --ingress --opt "com.docker.network.driver.mtu=$mtu" ingress >/dev/null
}
