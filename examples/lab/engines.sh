# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The engine of a node: Debian's own, or one built from the modules of engine/go.mod, whose programs lie over Debian's as
# one more layer of the node's disk. containerd and runc stay Debian's.

engine='' # of every node, and of single ones
declare -A engine_of=()

# take_engine [NODE=]ENGINE notes what --engine says.
take_engine() {
	local which=${1#*=}
	[[ $which == debian || $which == 29 ]] || die 2 "--engine $1: want 29 or debian, or NODE=29"
	if [[ $1 == *=* ]]; then engine_of[${1%%=*}]=$which; else engine=$which; fi
}

# engines builds what the nodes are to have, before any of them boots.
engines() {
	local name
	for name in "${!engine_of[@]}"; do node "$name"; done
	for name in $engine "${engine_of[@]}"; do
		if [[ $name != debian ]]; then built_engine; fi
	done
}

engine_version() { sed -n 's|^\tgithub.com/docker/cli v\([0-9.]*\).*|\1|p' "$here/engine/go.mod"; }

# engine_layer is where the programs are, as they lie on a node.
engine_layer() { printf '%s/engine-%s-%.8s\n' "$work" "$(engine_version)" "$(cat -- "$here/engine/go.mod" "$here/engines.sh" | sha256sum)"; }

# built_engine makes the layer, once.
built_engine() {
	local layer version programs began=$SECONDS
	layer=$(engine_layer) version=$(engine_version)
	[[ ! -e $layer ]] || return 0
	tools go:golang
	say "building the engine $version: a few minutes, once"
	rm -rf -- "$layer.partial"
	programs=$layer.partial/usr/libexec/lab
	install -d -- "$programs" "$layer.partial/usr/bin" "$layer.partial/usr/sbin"
	# docker/cli has no go.mod, so that its language would be Go's of 2021.
	(cd "$here/engine" && CGO_ENABLED=0 exec nice -n 10 go build -trimpath -gcflags='github.com/docker/cli/...=-lang=go1.26' \
		-ldflags="-s -w -X github.com/moby/moby/v2/dockerversion.Version=$version -X github.com/docker/cli/cli/version.Version=$version" \
		-o "$programs/" tool) &
	while_waiting "$!" "building the engine $version" || die 1 "the engine $version: go build failed"
	mv -- "$programs/docker" "$layer.partial/usr/bin/docker"
	mv -- "$programs/docker-proxy" "$layer.partial/usr/sbin/docker-proxy"
	# Debian's runc is older than the time namespaces that this engine gives its containers.
	install -m 0755 /dev/stdin "$layer.partial/usr/sbin/dockerd" <<-'END'
		#!/bin/sh
		exec /usr/libexec/lab/dockerd --feature time-namespaces=false "$@"
	END
	mv -- "$layer.partial" "$layer"
	say "the engine $version is built after $((SECONDS - began)) s, and kept"
}

# fit_engine NAME gives a node that is off the engine that was asked for; without a word it keeps the one that it has.
fit_engine() {
	case ${engine_of[$1]:-$engine} in
	debian) : >"$work/nodes/$1.engine" ;;
	29) engine_layer >"$work/nodes/$1.engine" ;;
	esac
}

# layers NAME prints what lies below the node's own disk.
layers() { printf '%s%s\n' "$(sed 's/$/:/' "$work/nodes/$1.engine" 2>/dev/null)" "$(<"$work/nodes/$1.base")"; }
