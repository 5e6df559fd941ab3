# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The nodes: systemd-nspawn machines, each an overlay over one base system, in a network namespace and a control group
# of its own. Their mounts live in the mount namespace of their process and end with it.

packages=systemd,systemd-sysv,dbus,docker.io,openssh-server,nftables,iptables,iproute2,procps,kmod,openssl,curl,jq,netcat-openbsd,ca-certificates,sudo
packages+=,nfs-common,nfs-kernel-server,nfs-ganesha,nfs-ganesha-vfs,libnfs-utils
# Where the machine's kernel has no WireGuard, the command of the bundle takes the program instead.
packages+=,wireguard-tools,wireguard-go
# The server that services.vpn.access asks for; what cuts connections that new rules refuse.
packages+=,openvpn,conntrack

# What an installer leaves, with --bare: the runbook brings the rest.
bare=systemd,systemd-sysv,dbus,openssh-server,iproute2,procps,kmod

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
	if [[ $suite == trixie && $packages != "$bare" ]]; then more=,docker-cli; fi
	debootstrap --variant=minbase --include="$packages$more" "$suite" "$root.partial" \
		>"$work/base-$suite.log" || die 4 "debootstrap: see $work/base-$suite.log"
	rm -rf -- "$root.partial"/var/cache/apt/archives/*.deb
	mv -- "$root.partial" "$root"
}

# keys writes the operator's key pair, the host keys of all nodes and the ssh configuration that knows them.
keys() {
	local ssh=$work/ssh name address known
	mkdir -p -- "$work/nodes"
	install -d -m 0700 -- "$ssh"
	[[ -e $ssh/key ]] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$ssh/key"
	: >"$ssh/known_hosts.partial"
	: >"$ssh/config.partial"
	for name in "${!nodes[@]}"; do
		[[ -e $ssh/$name ]] || ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$ssh/$name"
		known=$name
		for address in ${nodes[$name]}; do
			if [[ ${sshd[$name]} == 22 ]]; then known+=,$address; else known+=,[$address]:${sshd[$name]}; fi
		done
		printf '%s %s\n' "$known" "$(<"$ssh/$name.pub")" >>"$ssh/known_hosts.partial"
		printf 'Host %s\n\tHostName %s\n\tPort %s\n\tHostKeyAlias %s\n\n' "$name" "${nodes[$name]%% *}" "${sshd[$name]}" "$name" >>"$ssh/config.partial"
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
	mv -- "$ssh/known_hosts.partial" "$ssh/known_hosts"
	mv -- "$ssh/config.partial" "$ssh/config"
}

# disk NAME writes what makes the base system this node.
disk() {
	local name=$1 node=$work/nodes/$1 etc=$work/nodes/$1/upper/etc other
	[[ ! -e $node/upper ]] || return 0
	rm -rf -- "$node.partial"
	base_path >"$node.base"
	mkdir -p -- "$node.partial"/{upper,work,root,docker,containerd,srv}
	etc=$node.partial/upper/etc
	install -d -- "$etc/ssh/sshd_config.d" "$etc/systemd/system/docker.service.d"
	install -d -m 0700 -- "$node.partial/upper/root" "$node.partial/upper/root/.ssh"
	install -m 0600 -- "$work/ssh/key.pub" "$node.partial/upper/root/.ssh/authorized_keys"
	install -m 0600 -- "$work/ssh/$name" "$etc/ssh/ssh_host_ed25519_key"
	install -m 0644 -- "$work/ssh/$name.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
	printf '%s\n' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'UseDNS no' "Port ${sshd[$name]}" >"$etc/ssh/sshd_config.d/lab.conf"
	# From OpenSSH 9.8 on it shuts out an address that connects again and again without logging in, as probes of port 22 do.
	if grep -qa persourcepenalties "$(base_path)/usr/sbin/sshd"; then echo 'PerSourcePenalties no' >>"$etc/ssh/sshd_config.d/lab.conf"; fi
	printf '%s\n' "$name" >"$etc/hostname"
	printf '127.0.0.1 localhost\n' >"$etc/hosts"
	for other in "${!nodes[@]}"; do printf '%s %s\n' "${nodes[$other]%% *}" "$other" >>"$etc/hosts"; done
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
	if [[ ${login[$name]} != root ]]; then somebody "${login[$name]}" "$node.partial/upper"; fi
	mv -- "$node.partial" "$node"
}

# somebody LOGIN UPPER: a person who may become root without a password, as the runbook wants it.
somebody() {
	local who=$1 upper=$2 file id=1000 system
	system=$(base_path)
	for file in passwd group shadow; do cp -p -- "$system/etc/$file" "$upper/etc/$file"; done
	printf '%s:x:%d:%d::/home/%s:/bin/bash\n' "$who" "$id" "$id" "$who" >>"$upper/etc/passwd"
	printf '%s:x:%d:\n' "$who" "$id" >>"$upper/etc/group"
	printf '%s:*:19000:0:99999:7:::\n' "$who" >>"$upper/etc/shadow"
	install -d -m 0755 -- "$upper/home" "$upper/etc/sudoers.d"
	install -d -m 0700 -o "$id" -g "$id" -- "$upper/home/$who" "$upper/home/$who/.ssh"
	install -m 0600 -o "$id" -g "$id" -- "$work/ssh/key.pub" "$upper/home/$who/.ssh/authorized_keys"
	printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$who" | install -m 0440 /dev/stdin "$upper/etc/sudoers.d/lab"
}

# without_modules UPPER fills what the machine's kernel lacks. A unit that fails would make every node "degraded".
without_modules() {
	local units=$1/etc/systemd/system
	ln -s /dev/null "$units/nfs-ganesha.service"
	ln -s /dev/null "$units/nfs-ganesha-lock.service"
	if ! grep -qw rpc_pipefs /proc/filesystems; then ln -s /dev/null "$units/run-rpc_pipefs.mount"; fi
	if ! grep -qw nfsd /proc/filesystems; then
		install -d -- "$units/multi-user.target.wants"
		install -m 0644 -t "$units" -- "$here"/node/nfs-{server.service,exports.path,exports.service}
		ln -s ../nfs-exports.path "$units/multi-user.target.wants/nfs-exports.path"
		install -D -m 0755 -- "$here/node/ganesha-exports.sh" "$1/usr/local/sbin/ganesha-exports"
		# The runbook takes listeners named rpc.* for the NFS server's own.
		ln -s /usr/bin/ganesha.nfsd "$1/usr/local/sbin/rpc.ganesha"
	fi
}

pid_of() { cut -d' ' -f1 "$work/nodes/$1/pid" 2>/dev/null || true; }

# born PID: when the process began, in ticks since boot; with its number it names one process for good.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# note_process PID FILE notes a process there; lives FILE says whether it is still that one.
note_process() { printf '%s %s\n' "$1" "$(born "$1")" >"$2"; }
lives() {
	local pid when
	read -r pid when 2>/dev/null <"$1" || return 1
	[[ -n $when && $(born "$pid") == "$when" ]]
}

is_up() { lives "$work/nodes/$1/pid"; }

# boot NAME starts the machine in the background.
boot() {
	local name=$1 node=$work/nodes/$1
	if is_up "$name"; then return; fi
	[[ -e /run/netns/skep-router ]] || die 4 "$name: the network is down: lab up"
	disk "$name"
	fit_engine "$name"
	unplug "$name"
	join "$name" "${nodes[$name]}"
	SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes setsid unshare --mount --propagation slave \
		bash "$here/node/machine.sh" "$name" "$node" "$(layers "$name")" </dev/null >"$node/console.log" 2>&1 &
	note_process "$!" "$node/pid"
}

# await NAME SECONDS [WHAT]: until sshd lets the operator in, and the engine answers, where there is one, or WHAT succeeds.
await() {
	local name=$1 until=$((SECONDS + $2)) what=${3:-docker info}
	[[ $packages != "$bare" ]] || what=${3:-true}
	while ((SECONDS < until)); do
		is_up "$name" || die 1 "$name: ended while booting; see $work/nodes/$name/console.log"
		if inside management ssh -F "$work/ssh/config" -o ConnectTimeout=$((2 * patience)) -o BatchMode=yes "$name" \
			"until $what; do sleep 0.5; done" 2>&1 | tail -n 3 >"$work/nodes/$name/ssh.log"; then
			return
		fi
	done
	die 1 "$name: no answer after $2 s; see $work/nodes/$name/ssh.log and console.log"
}

# halt NAME: as if somebody pulled its plug. What its kernel had loaded is gone, what it had written is there.
halt() {
	local name=$1
	if is_up "$name"; then kill -KILL "$(pid_of "$name")" 2>/dev/null || true; fi
	ended "$name"
}

# ended NAME clears up after a machine that is off.
ended() {
	rm -f -- "$work/nodes/$1/pid"
	groups_gone "$1"
	unplug "$1"
}

# reboot NAME...: each shuts down in order, all at once, and boots again.
reboot() {
	local name until=$((SECONDS + 120 * patience))
	for name; do
		is_up "$name" || die 4 "$name is down: lab start $name"
		inside management ssh -F "$work/ssh/config" -o BatchMode=yes "$name" 'systemctl reboot' || true
	done
	for name; do
		while is_up "$name"; do
			((SECONDS < until)) || die 1 "$name does not shut down; see $work/nodes/$name/console.log"
			sleep 0.2
		done
		ended "$name"
	done
	for name; do boot "$name"; done
	for name; do await "$name" $((120 * patience)); done
}

# groups_gone NAME ends what is left in the node's control groups, and removes them, deepest first.
groups_gone() {
	local path until=$((SECONDS + 20)) procs
	for path in /sys/fs/cgroup/skep-"$1" /sys/fs/cgroup/*/skep-"$1"; do
		while [[ -d $path ]] && ((SECONDS < until)); do
			mapfile -t procs < <(find "$path" -name cgroup.procs -exec cat {} + 2>/dev/null)
			if ((${#procs[@]})); then kill -KILL "${procs[@]}" 2>/dev/null || true; fi
			find "$path" -depth -type d -exec rmdir {} \; 2>/dev/null || true
			if [[ -d $path ]]; then sleep 0.1; fi
		done
	done
}
