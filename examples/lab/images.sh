# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The images of a bundle as archives for `docker load` and `runbook.sh --images`. No registry is asked: programs are
# built from Go modules (go.mod beside this file), or come from Debian, or are stand-ins that say so.

# images BUNDLE makes DIR/images/*.tar for every line of images.txt that has none yet, or one of another recipe.
images() {
	local list=${1:?images: want the directory of a bundle}/images.txt image began=$SECONDS missing=() i
	[[ -r $list ]] || die 4 "$list: no such file"
	mkdir -p -- "$work/images" "$work/bin"
	exec 7>"$work/images.lock"
	flock -n 7 || { say 'another run builds images: waiting for it' && flock 7; }
	rm -rf -- "$work"/image.??????
	recipe=$(recipe)
	while read -r image _; do
		[[ -z $image || $image == '#'* ]] || made "$image" || missing+=("$image")
	done <"$list"
	for i in "${!missing[@]}"; do
		say "image $((i + 1)) of ${#missing[@]}: ${missing[i]} ($((SECONDS - began)) s so far)"
		image "${missing[i]}"
		printf '%s\n' "$recipe" >"$(archive "${missing[i]}").recipe"
	done
	((${#missing[@]} == 0)) || say "${#missing[@]} images made in $((SECONDS - began)) s; they are kept"
	printf '%s\n' "$work/images"
}

# recipe prints a sum of all that an archive is made from; Debian's part is kept until its directory is removed. Where
# nothing can be built, in the virtual machine, what is there has to do.
recipe() {
	command -v go >/dev/null || return 0
	(cd "$here" && cat -- images.sh image/* standin/main.go go.mod && go version) | sha256sum
}

# made NAME: whether its archive is there, by this recipe.
made() { [[ -e $(archive "$1") && (-z $recipe || $recipe == "$(cat -- "$(archive "$1").recipe" 2>/dev/null)") ]]; }

# while_waiting PID WHAT says every half minute that it is still at work, and ends as it does.
while_waiting() {
	local pid=$1 what=$2 began=$SECONDS next=$((SECONDS + 30))
	while kill -0 "$pid" 2>/dev/null; do
		if ((SECONDS >= next)); then
			say "  still $what, $((SECONDS - began)) s"
			next=$((SECONDS + 30))
		fi
		sleep 0.5
	done
	wait "$pid"
}

# archive NAME prints where the image's archive is kept.
archive() { printf '%s\n' "$work/images/${1//[\/:@]/_}.tar"; }

# image NAME makes one archive.
image() {
	local name=$1 repository=${1%%[:@]*} root
	tools go:golang jq:jq debootstrap:debootstrap
	base
	root=$(mktemp -d "$work/image.XXXXXX")
	skeleton "$root"
	case $repository in
	traefik)
		program github.com/traefik/traefik/v3/cmd/traefik "$root/usr/local/bin/traefik"
		install -m 0755 -- "$here/image/entrypoint.sh" "$root/entrypoint.sh"
		pack "$name" "$root" '{"Entrypoint": ["/entrypoint.sh"], "Cmd": ["traefik"]}'
		;;
	prom/prometheus)
		program github.com/prometheus/prometheus/cmd/prometheus "$root/bin/prometheus"
		program github.com/prometheus/prometheus/cmd/promtool "$root/bin/promtool"
		install -d -o 65534 -g 65534 -- "$root/prometheus"
		pack "$name" "$root" '{"Entrypoint": ["/bin/prometheus"], "User": "65534", "WorkingDir": "/prometheus", "Volumes": {"/prometheus": {}}}'
		;;
	prom/alertmanager)
		program github.com/prometheus/alertmanager/cmd/alertmanager "$root/bin/alertmanager"
		install -d -o 65534 -g 65534 -- "$root/alertmanager"
		pack "$name" "$root" '{"Entrypoint": ["/bin/alertmanager"], "User": "65534", "WorkingDir": "/alertmanager", "Volumes": {"/alertmanager": {}}}'
		;;
	prom/node-exporter)
		program github.com/prometheus/node_exporter "$root/bin/node_exporter"
		pack "$name" "$root" '{"Entrypoint": ["/bin/node_exporter"], "User": "65534"}'
		;;
	versity/versitygw)
		program github.com/versity/versitygw/cmd/versitygw "$root/usr/local/bin/versitygw"
		pack "$name" "$root" '{"Entrypoint": ["/usr/local/bin/versitygw"]}'
		;;
	tecnativa/docker-socket-proxy)
		from_debian "$root" /usr/sbin/haproxy
		install -D -m 0644 -- "$here/image/haproxy.cfg" "$root/etc/haproxy.cfg"
		pack "$name" "$root" '{"Entrypoint": ["/usr/sbin/haproxy", "-W", "-db", "-f", "/etc/haproxy.cfg"]}'
		;;
	grafana/grafana) stand_in "$name" "$root" :3000 ;;
	ghcr.io/google/cadvisor) stand_in "$name" "$root" :8080 ;;
	*) [[ -e $(archive "$name") ]] || die 1 "$name: no recipe in images.sh; put an archive of it at $(archive "$name")" ;;
	esac
	rm -rf -- "$root"
}

# stand_in NAME ROOT ADDRESS
stand_in() {
	say "$1: a stand-in that answers at $3, since the program cannot be built from modules"
	program ./standin "$2/bin/standin"
	pack "$1" "$2" "$(jq -n --arg name "$1" --arg address "$3" '{Entrypoint: ["/bin/standin", $name, $address]}')"
}

# program PACKAGE TARGET: a static program from the modules of this directory, built once for their versions.
program() {
	local package=$1 target=$2 version built file modules=()
	version=$(go version | cat - "$here/go.mod" | sha256sum)
	if [[ $package == ./* ]]; then version=$(sha256sum <"$here/$package/main.go"); fi
	built=$work/bin/${package##*/}-${version:0:12}
	if [[ ! -e $built ]]; then
		say "  building ${package##*/}, once"
		if [[ $package == */alertmanager ]]; then
			file=$(with_pages)
			modules=(-modfile "$file")
		fi
		(cd "$here" && CGO_ENABLED=0 exec nice -n 10 go build -trimpath -ldflags='-s -w' "${modules[@]}" -o "$built" "$package") &
		while_waiting "$!" "building ${package##*/}" || die 1 "${package##*/}: go build failed"
		find "$work/bin" -name "${package##*/}-????????????" -not -path "$built" -delete
	fi
	install -D -m 0755 -- "$built" "$target"
}

# with_pages prints a go.mod that builds Alertmanager from a copy of its module: the module embeds pages it does not carry.
with_pages() {
	local module copy=$work/alertmanager
	module=$(cd "$here" && go mod download -json github.com/prometheus/alertmanager | jq -r .Dir)
	rm -rf -- "$copy"
	cp -r -- "$module" "$copy"
	chmod -R u+w -- "$copy"
	install -D -m 0644 -- "$here/image/alertmanager.html" "$copy/ui/app/dist/index.html"
	cp -- "$here/go.mod" "$work/alertmanager.mod"
	cp -- "$here/go.sum" "$work/alertmanager.sum"
	go mod edit -replace "github.com/prometheus/alertmanager=$copy" "$work/alertmanager.mod"
	printf '%s\n' "$work/alertmanager.mod"
}

# skeleton ROOT: what every image has: busybox for health checks and shells, and users.
skeleton() {
	local root=$1 tool
	chmod 0755 -- "$root"
	install -d -- "$root"/{bin,dev,etc,proc,run,sys,usr/local/bin,usr/sbin,var/run}
	install -d -m 1777 -- "$root/tmp"
	printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnobody:x:65534:\n' >"$root/etc/group"
	from_debian "$root" /bin/busybox
	for tool in $("$root/bin/busybox" --list); do
		if [[ ! -e $root/bin/$tool && ! -L $root/bin/$tool ]]; then ln -s busybox "$root/bin/$tool"; fi
	done
}

# from_debian ROOT PROGRAM copies a program of Debian and the libraries that it loads.
from_debian() {
	local system=$work/debian-$suite library
	debian "$system"
	install -D -m 0755 -- "$system$2" "$1$2"
	while read -r library; do
		install -D -m 0755 -- "$system$library" "$1$library"
	done < <(chroot "$system" ldd "$2" 2>/dev/null | grep -oE '/[^ ]+\.so[^ ]*')
}

# debian makes the system that programs are copied from.
debian() {
	[[ ! -e $1 ]] || return 0
	say "  fetching haproxy and busybox, once"
	rm -rf -- "$1.partial"
	debootstrap --variant=minbase --include=haproxy,busybox-static "$suite" "$1.partial" \
		>"$work/debian.log" || die 4 "debootstrap: see $work/debian.log"
	mv -- "$1.partial" "$1"
}

# pack NAME ROOT CONFIG writes the archive of an image with one layer.
pack() {
	local name=$1 root=$2 config=$3 out layer archive
	archive=$(archive "$name")
	out=$(mktemp -d "$work/image.XXXXXX")
	tar --create --sort=name --mtime=@0 --numeric-owner -C "$root" -f "$out/layer.tar" .
	layer=$(sha256sum <"$out/layer.tar")
	jq -n --argjson config "$config" --arg layer "sha256:${layer%% *}" --arg arch "$(go env GOARCH)" '{
		architecture: $arch, os: "linux", created: "1970-01-01T00:00:00Z",
		config: ($config + {Env: ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin"]}),
		rootfs: {type: "layers", diff_ids: [$layer]}, history: [{created: "1970-01-01T00:00:00Z"}]
	}' >"$out/config.json"
	jq -n --arg name "$name" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$out/manifest.json"
	tar --create --sort=name --mtime=@0 -C "$out" -f "$archive.partial" manifest.json config.json layer.tar
	mv -- "$archive.partial" "$archive"
	rm -rf -- "$out"
}
