# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The nodes: systemd-nspawn machines, each an overlay over one base system, in a network namespace and a control group
# of its own. Their mounts live in the mount namespace of their process and end with it.

# Names and addresses of the nodes, as the spec has them, and a spare that is in no swarm until a spec names it.
declare -A nodes=()
while read -r name address; do
	nodes[$name]=$address
done < <(sed -n 's/^\t\t\([a-z][a-z0-9]*\): {address: "\([0-9.]*\)".*/\1 \2/p' "$here/cluster.cue")
declare -A spare=([w3]=10.77.0.14)
for name in "${!spare[@]}"; do nodes[$name]=${spare[$name]}; done
unset name address

packages=systemd,systemd-sysv,dbus,docker.io,openssh-server,nftables,iptables,iproute2,procps,kmod,openssl,curl,jq,netcat-openbsd,ca-certificates
packages+=,nfs-common,nfs-kernel-server,nfs-ganesha,nfs-ganesha-vfs,libnfs-utils
# Where the machine's kernel has no WireGuard, the command of the bundle takes the program instead.
packages+=,wireguard-tools,wireguard-go
# The server that services.vpn.access asks for.
packages+=,openvpn

# base_path is where the base system is; with other packages it is another one.
base_path() { printf '%s/base-%s-%.8s\n' "$work" "$suite" "$(sha256sum <<<"$packages")"; }

# base makes the system that all nodes share, once.
base() {
	local root more=''
	root=$(base_path)
	[[ ! -e $root ]] || return 0
	say "building the base system: two minutes, once"
	mkdir -p -- "$work"
	rm -rf -- "$root.partial"
	if [[ $suite == trixie ]]; then more=,docker-cli; fi
	debootstrap --variant=minbase --include="$packages$more" "$suite" "$root.partial" \
		>"$work/base-$suite.log" || die 4 "debootstrap: see $work/base-$suite.log"
	rm -rf -- "$root.partial"/var/cache/apt/archives/*.deb
	mv -- "$root.partial" "$root"
}

# keys writes the operator's key pair, the host keys of all nodes and the ssh configuration that knows them.
keys() {
	local ssh=$work/ssh name
	mkdir -p -- "$work/nodes"
	[[ ! -e $ssh/config ]] || return 0
	rm -rf -- "$ssh"
	install -d -m 0700 -- "$ssh"
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$ssh/key"
	for name in "${!nodes[@]}"; do
		ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$ssh/$name"
		printf '%s,%s %s\n' "$name" "${nodes[$name]}" "$(<"$ssh/$name.pub")" >>"$ssh/known_hosts"
		printf 'Host %s\n\tHostName %s\n\n' "$name" "${nodes[$name]}" >>"$ssh/config.partial"
	done
	cat >>"$ssh/config.partial" <<-END
		Host *
			User root
			IdentityFile $ssh/key
			IdentitiesOnly yes
			UserKnownHostsFile $ssh/known_hosts
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			# The newest one costs an emulated machine seconds for each connection.
			KexAlgorithms curve25519-sha256
	END
	mv -- "$ssh/config.partial" "$ssh/config"
}

# disk NAME writes what makes the base system this node.
disk() {
	local name=$1 node=$work/nodes/$1 etc=$work/nodes/$1/upper/etc other
	[[ ! -e $node/upper ]] || return 0
	rm -rf -- "$node.partial"
	base_path >"$node.base"
	mkdir -p -- "$node.partial"/{upper,work,root,docker,srv}
	etc=$node.partial/upper/etc
	install -d -- "$etc/ssh/sshd_config.d" "$etc/systemd/system/docker.service.d"
	install -d -m 0700 -- "$node.partial/upper/root" "$node.partial/upper/root/.ssh"
	install -m 0600 -- "$work/ssh/key.pub" "$node.partial/upper/root/.ssh/authorized_keys"
	install -m 0600 -- "$work/ssh/$name" "$etc/ssh/ssh_host_ed25519_key"
	install -m 0644 -- "$work/ssh/$name.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
	printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\n' >"$etc/ssh/sshd_config.d/lab.conf"
	printf '%s\n' "$name" >"$etc/hostname"
	printf '127.0.0.1 localhost\n' >"$etc/hosts"
	for other in "${!nodes[@]}"; do printf '%s %s\n' "${nodes[$other]}" "$other" >>"$etc/hosts"; done
	install -d -- "$etc/default"
	: >"$etc/default/locale"
	: >"$etc/resolv.conf"
	tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
	# With version 1 control groups nspawn mounts the controllers read-only, and no container would start.
	cat >"$etc/systemd/system/docker.service.d/00-lab.conf" <<-'END'
		[Service]
		ExecStartPre=-/bin/sh -c 'for group in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$group"; done'
	END
	without_modules "$node.partial/upper"
	mv -- "$node.partial" "$node"
}

# without_modules UPPER fills what the machine's kernel lacks. A unit that fails would make every node "degraded".
without_modules() {
	local units=$1/etc/systemd/system
	ln -s /dev/null "$units/nfs-ganesha.service"
	ln -s /dev/null "$units/nfs-ganesha-lock.service"
	if ! grep -qw rpc_pipefs /proc/filesystems; then ln -s /dev/null "$units/run-rpc_pipefs.mount"; fi
	if ! grep -qw nfsd /proc/filesystems; then
		install -m 0644 -- "$here/node/nfs-server.service" "$units/nfs-server.service"
		install -D -m 0755 -- "$here/node/ganesha-exports.sh" "$1/usr/local/sbin/ganesha-exports"
		# The runbook takes listeners named rpc.* for the NFS server's own.
		ln -s /usr/bin/ganesha.nfsd "$1/usr/local/sbin/rpc.ganesha"
	fi
}

pid_of() { cut -d' ' -f1 "$work/nodes/$1/pid" 2>/dev/null || true; }

# born PID: when the process began, in ticks since boot; with its number it names one process for good.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

is_up() {
	local pid when
	read -r pid when 2>/dev/null <"$work/nodes/$1/pid" || return 1
	[[ -n $when && $(born "$pid") == "$when" ]]
}

# boot NAME starts the machine in the background.
boot() {
	local name=$1 node=$work/nodes/$1 pid
	if is_up "$name"; then return; fi
	[[ -e /run/netns/skep-$name ]] || die 4 "$name: its network is down: lab up"
	disk "$name"
	plug "$name" "${nodes[$name]}"
	SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes setsid unshare --mount --propagation slave \
		bash "$here/node/machine.sh" "$name" "$node" "$(<"$node.base")" </dev/null >"$node/console.log" 2>&1 &
	pid=$!
	printf '%s %s\n' "$pid" "$(born "$pid")" >"$node/pid"
}

# await NAME SECONDS: until sshd lets the operator in and the engine answers.
await() {
	local name=$1 until=$((SECONDS + $2))
	while ((SECONDS < until)); do
		is_up "$name" || die 1 "$name: ended while booting; see $work/nodes/$name/console.log"
		if inside management ssh -F "$work/ssh/config" -o ConnectTimeout=$((2 * patience)) -o BatchMode=yes "$name" \
			'until docker info; do sleep 0.5; done' >/dev/null 2>"$work/nodes/$name/ssh.log"; then
			return
		fi
	done
	die 1 "$name: no answer after $2 s; see $work/nodes/$name/ssh.log and console.log"
}

# halt NAME SECONDS: asks the machine to power off, and ends it when it does not.
halt() {
	local name=$1 until=$((SECONDS + $2)) pid
	is_up "$name" || return 0
	pid=$(pid_of "$name")
	kill -TERM "$pid" 2>/dev/null || true
	while is_up "$name"; do
		if ((SECONDS >= until)); then kill -KILL "$pid" 2>/dev/null || true; fi
		sleep 0.2
	done
	rm -f -- "$work/nodes/$name/pid"
	unplug "$name"
	groups_gone "$name"
}

# groups_gone NAME removes the node's control groups, deepest first.
groups_gone() {
	local path
	for path in /sys/fs/cgroup/skep-"$1" /sys/fs/cgroup/*/skep-"$1"; do
		if [[ -d $path ]]; then find "$path" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
	done
}
