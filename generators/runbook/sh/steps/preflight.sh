# What a node must be before anything is changed on it. What the runbook could not work with, or against, stops every run;
# what would only make a poor node stops the first one (first_run).

readonly least_kib=$((4 << 20))

# So many seconds may lie between the fastest clock and the slowest.
readonly spread=30

check() {
	((EUID == 0)) || refuse 'not root' 'let the login of nodes.*.ssh.user run sudo without a password'
	system
	clock
	room
	addresses
	engine_fits
	engine_known
	traps
	rules_of_others
	transit
	redundancy
	ports
	disks
}

system() {
	local tool missing='' machine
	[[ $(uname -s) == Linux ]] || refuse "$(uname -s) is not Linux"
	case $(uname -m) in
	x86_64) machine=amd64 ;;
	aarch64) machine=arm64 ;;
	*) refuse "machine type $(uname -m): the images are made for x86_64 and aarch64" ;;
	esac
	[[ $machine == "$architecture" ]] ||
		first_run "the machine is $machine, and the spec says $architecture" "set nodes.$host.platform.architecture: \"$machine\""
	((BASH_VERSINFO[0] >= 5)) || refuse "bash $BASH_VERSION is too old: want 5"
	for tool in systemctl flock base64 tar gzip sha256sum install awk sort ip; do
		has "$tool" || missing+=" $tool"
	done
	[[ -z $missing ]] || refuse "not found on the node:$missing"
	say "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null || true) $(uname -r) $(uname -m), host name $(uname -n)"
}

# compare_hosts looks at what all nodes answered, on the operator's machine.
compare_hosts() {
	compare_clocks
	compare_engines
}

# compare_clocks: the fastest and the slowest. Certificates and raft suffer from clocks that differ.
compare_clocks() {
	local name line slowest='' fastest='' skew low=0 high=0 level=note
	for name in "${inventory[@]}"; do
		line=$(grep -a -m 1 '^@clock ' "$work/$name.answers" 2>/dev/null) || continue
		[[ $line =~ ^@clock\ (-?[0-9]{1,12})\ (in|out)$ ]] || continue
		skew=${BASH_REMATCH[1]}
		[[ ${BASH_REMATCH[2]} == in ]] || level=stop
		if [[ -z $slowest ]] || ((skew < low)); then slowest=$name low=$skew; fi
		if [[ -z $fastest ]] || ((skew > high)); then fastest=$name high=$skew; fi
	done
	((high - low <= spread)) ||
		printf '%s %s the clocks of %s and %s differ by %ds: let NTP set them (timedatectl set-ntp true)\n' "$level" "$fastest" "$slowest" "$fastest" $((high - low))
}

# A clock may differ from the operator's; operator_time is the operator's clock when this was sent.
clock() {
	local skew=$((EPOCHSECONDS - operator_time))
	((skew > -60 && skew < 60)) || first_run "the clock differs by ${skew}s from the operator's machine" 'let NTP set it (timedatectl set-ntp true)'
}

room() {
	local path device='' free
	while IFS= read -r path; do
		while [[ ! -d $path ]]; do path=$(dirname "$path"); done
		# Two directories of one file system are told once.
		[[ $(stat --format=%d -- "$path") != "$device" ]] || continue
		device=$(stat --format=%d -- "$path")
		free=$(df --output=avail -k -- "$path" | tail -n 1)
		((free >= least_kib)) || first_run "$path has $((free / 1024)) MiB free: want $((least_kib / 1024)) MiB for images" 'make room, or mount a larger disk there'
	done < <(printf '%s\n' "$docker_directory" && image_store)
}

# image_store prints where containerd keeps the images. An engine of 29 or later that began empty leaves them to it.
image_store() {
	local root
	[[ $(docker info --format '{{.DriverStatus}}' 2>/dev/null) == *io.containerd.snapshotter* ]] || return 0
	root=$(containerd config dump 2>/dev/null | sed -n "s/^root = ['\"]\(.*\)['\"]$/\1/p") || root=''
	printf '%s\n' "${root:-/var/lib/containerd}"
}

addresses() {
	# An address of the mesh is there once the step mesh has made it.
	[[ -z ${mesh_device:-} ]] || return 0
	[[ -n $(ip -o address show to "$address") ]] || refuse "$address is not an address of this node" 'correct nodes.*.address, or the address that ssh reaches'
}

traps() {
	local unit
	# Rules in both kernels' tables break published ports (moby#46636).
	if has iptables && [[ $(iptables --version) == *legacy* ]]; then
		refuse 'iptables is the legacy one' 'update-alternatives --set iptables /usr/sbin/iptables-nft, then restart docker'
	fi
	# Ubuntu's unit of ufw is active on every machine; ufw itself is on when its file says so.
	for unit in ufw firewalld; do
		[[ $unit != ufw ]] || grep -qsi '^ENABLED=.\?yes' /etc/ufw/ufw.conf || continue
		if systemctl is-active --quiet "$unit.service" 2>/dev/null; then
			refuse "$unit is active: two firewalls would fight" "systemctl disable --now $unit"
		fi
	done
}

# of_stack PID STACK: whether the process is of a task of that stack.
of_stack() {
	local id
	has docker || return 1
	while read -r id; do
		if grep -qF -- "$id" "/proc/$1/cgroup"; then return 0; fi
	done < <(docker ps --quiet --no-trunc --filter "label=com.docker.stack.namespace=$2" 2>/dev/null)
	return 1
}

# ports finds a port of the cluster that a stranger listens on. Docker and the kernel's own listeners are no strangers.
ports() {
	local row proto port group owner pid
	has ss || return 0
	for row in "${listeners[@]}"; do
		read -r proto port group <<<"$row"
		[[ " all ${role}s $host $duties " == *" $group "* ]] || continue
		read -r owner pid < <(ss -H -ln "--$proto" -p "sport = :$port" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 \2/p') || true
		case $owner in
		'' | dockerd | docker-proxy | systemd | rpcbind | rpc.* | ganesha.nfsd) continue ;;
		node_exporter) ! of_stack "$pid" monitoring || continue ;;
		wireguard-go) ! systemctl is-active --quiet skep-mesh.service || continue ;;
		openvpn) ! systemctl is-active --quiet skep-vpn.service || continue ;;
		esac
		first_run "port $port/$proto is taken by $owner" "stop $owner, or move it"
	done
}

# disks looks at the directories that users fill. Where the runbook was at work before, it goes on without the disk, up to the step storage: it may
# be about to close a hole.
disks() {
	local row duty path filesystem field
	for row in "${directories[@]}"; do
		read -r duty path _ filesystem _ field <<<"$row"
		# What stacks have below a share is on the share's disk.
		[[ " $duties " == *" $duty "* && $field == services.* ]] || continue
		if [[ $filesystem == own ]]; then
			if mountpoint -q -- "$path"; then continue; fi
			[[ -d $kept/bundle ]] || refuse "$path is not a mount point, and $field is \"own\"" \
				'mount its disk, also in /etc/fstab; or set "any" to share a part of another file system'
			say "note: $path is not a mount point: the step storage will refuse"
			continue
		fi
		while [[ ! -d $path ]]; do path=$(dirname "$path"); done
		[[ $(df --output=target -- "$path" | tail -n 1) != / ]] ||
			say "note: the files of ${field%.filesystem} are on the root file system: who fills it stops this node; give them a disk, and say $field: \"own\""
	done
}

prepare() {
	given operator_time "$EPOCHSECONDS"
	peers_given
}
