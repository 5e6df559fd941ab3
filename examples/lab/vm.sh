# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# The machine of --vm: the whole lab inside QEMU, with a kernel of Debian that has what the kernel of this machine may
# lack: IPVS, an NFS server and client, ESP. Everything is emulated, so that it runs where KVM does not, five to ten
# times slower. Its disk is written to a temporary file and forgotten when the machine ends.

machine_packages=systemd,systemd-sysv,dbus,udev,systemd-container,iproute2,procps,kmod,openssh-server,openssh-client,jq,curl,openssl
machine_packages+=,diffutils,util-linux,tcpdump,ca-certificates,linux-image-cloud-amd64

# Modules that the nodes use: from inside of them nothing is loaded.
machine_modules=(overlay br_netfilter vxlan veth ip_vs ip_vs_rr xt_ipvs nfsd nfs nfsv4 esp4 xfrm_user seqiv rfc4106 xt_u32 xt_bpf xt_policy
	nf_conntrack_netlink xt_addrtype xt_conntrack xt_nat xt_MASQUERADE xt_REDIRECT xt_mark nf_tables nft_compat)

machine_slowness=8 # how much longer than in the machine's own kernel things take
machine_memory=4096

# machine VERB...: what lab does with --vm.
machine() {
	case $1 in
	up)
		machine_up
		machine_lab up
		;;
	down) machine_down ;;
	shell)
		machine_up
		machine_run "${@:2}"
		;;
	*)
		machine_is_up || die 4 "the virtual machine is down: lab --vm up"
		machine_lab "$@"
		;;
	esac
}

# machine_lab VERB...: this script, in the machine.
machine_lab() { machine_run "$(printf '%q ' /root/lab/lab --suite "$suite" --patience "$machine_slowness" "$@")"; }

# machine_run [COMMAND]: as ssh does.
machine_run() { ssh -F "$work/vm/ssh_config" -p "$(<"$work/vm/port")" machine "$@"; }

machine_is_up() { lives "$work/vm/pid"; }

machine_up() {
	if ! machine_is_up; then machine_start; fi
	tar -C "$here" -c lab network.sh nodes.sh engines.sh images.sh vm.sh cluster.sh cluster.cue node image | machine_run tar -x --one-top-level=/root/lab
}

machine_start() {
	local began=$SECONDS
	tools qemu-system-x86_64:qemu-system-x86 debootstrap:debootstrap mke2fs:e2fsprogs ssh:openssh-client unshare:util-linux
	base
	machine_system
	machine_disk
	machine_boot
	machine_await 600
	say "the virtual machine is up after $((SECONDS - began)) s"
}

# machine_system makes the system of the machine, once.
machine_system() {
	local dir=$work/vm
	[[ ! -e $dir/system ]] || return 0
	say "building the system of the virtual machine: two minutes, once"
	mkdir -p -- "$dir"
	rm -rf -- "$dir/system.partial"
	debootstrap --variant=minbase --include="$machine_packages" bookworm "$dir/system.partial" \
		>"$dir/system.log" || die 4 "debootstrap: see $dir/system.log"
	rm -rf -- "$dir/system.partial"/var/cache/apt/archives/*.deb
	mv -- "$dir/system.partial" "$dir/system"
}

# machine_disk writes the disk: the system, its settings, the base system of the nodes and the images that there are.
machine_disk() {
	local dir=$work/vm disk sum base
	base=$(basename "$(base_path)")
	mkdir -p -- "$work/images"
	sum=$(
		stat -c '%n %i %Y' -- "$dir/system" "$(base_path)"
		cd "$work/images" && stat -c '%n %s %Y' -- ./*.tar 2>/dev/null || true
		declare -p machine_modules
		declare -f machine_settings
	)
	sum=$(sha256sum <<<"$sum")
	disk=$dir/$suite-${sum:0:12}.ext4
	printf '%s\n' "$disk" >"$dir/disk"
	[[ ! -e $disk ]] || return 0
	say "writing the disk of the virtual machine"
	rm -rf -- "$dir/$suite"-*.ext4 "$dir/disk.partial" "$dir/upper" "$dir/tree"
	mkdir -p -- "$dir/upper/root/.cache/skep-lab"/{images,"$base"} "$dir/tree/upper" "$dir/tree/work" "$dir/tree/root"
	machine_settings "$dir/upper"
	# The mounts end with their namespace.
	unshare --mount bash -euo pipefail -s -- "$dir" "$work" "$base" <<-'END'
		mount -t overlay overlay -o "lowerdir=$1/upper:$1/system,upperdir=$1/tree/upper,workdir=$1/tree/work" "$1/tree/root"
		for part in images "$3"; do mount --bind "$2/$part" "$1/tree/root/root/.cache/skep-lab/$part"; done
		mke2fs -q -t ext4 -L skep -E lazy_itable_init=1 -d "$1/tree/root" "$1/disk.partial" 20G >/dev/null
	END
	cp -L -- "$dir/system/vmlinuz" "$dir/kernel"
	cp -L -- "$dir/system/initrd.img" "$dir/initrd"
	rm -rf -- "$dir/tree" "$dir/upper"
	mv -- "$dir/disk.partial" "$disk"
}

# machine_settings ROOT writes what makes the system this machine, and the key that opens it.
machine_settings() {
	local root=$1 dir=$work/vm
	rm -f -- "$dir/key" "$dir/key.pub" "$dir/host" "$dir/host.pub"
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$dir/key"
	ssh-keygen -q -t ed25519 -N '' -C machine -f "$dir/host"
	install -d -m 0700 -- "$root/root" "$root/root/.ssh"
	install -m 0600 -- "$dir/key.pub" "$root/root/.ssh/authorized_keys"
	install -D -m 0600 -- "$dir/host" "$root/etc/ssh/ssh_host_ed25519_key"
	install -D -m 0644 /dev/stdin "$root/etc/ssh/sshd_config.d/lab.conf" <<<$'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\nLoginGraceTime 600\nMaxStartups 100'
	install -D -m 0644 /dev/stdin "$root/etc/hostname" <<<machine
	install -D -m 0644 /dev/stdin "$root/etc/hosts" <<<$'127.0.0.1 localhost machine'
	install -D -m 0644 /dev/stdin "$root/etc/fstab" <<<'LABEL=skep / ext4 noatime 0 0'
	: | install -D -m 0644 /dev/stdin "$root/etc/resolv.conf"
	printf '%s\n' "${machine_modules[@]}" | install -D -m 0644 /dev/stdin "$root/etc/modules-load.d/lab.conf"
	install -D -m 0644 /dev/stdin "$root/etc/systemd/network/eth0.network" <<<$'[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2'
	# Every network namespace begins with what the first one has, the routing mesh's inside a node, too: there Docker counts on it.
	install -D -m 0644 /dev/stdin "$root/etc/sysctl.d/lab.conf" <<<'net.ipv4.ip_forward=1'
	install -d -- "$root/etc/systemd/system/multi-user.target.wants"
	ln -s /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
	printf 'machine %s\n' "$(<"$dir/host.pub")" >"$dir/known_hosts"
	cat >"$dir/ssh_config" <<-END
		Host machine
			HostName 127.0.0.1
			HostKeyAlias machine
			User root
			IdentityFile $dir/key
			IdentitiesOnly yes
			UserKnownHostsFile $dir/known_hosts
			GlobalKnownHostsFile /dev/null
			StrictHostKeyChecking yes
			BatchMode yes
			LogLevel ERROR
			KexAlgorithms curve25519-sha256
			ServerAliveInterval 60
	END
}

# machine_boot starts it in the background. It reaches nothing outside; one port of localhost leads to its sshd.
machine_boot() {
	local dir=$work/vm port
	port=$((20000 + RANDOM % 10000))
	printf '%s\n' "$port" >"$dir/port"
	TMPDIR=$dir setsid qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$machine_memory" \
		-kernel "$dir/kernel" -initrd "$dir/initrd" \
		-append 'root=/dev/vda rw console=ttyS0 net.ifnames=0 apparmor=0 mitigations=off quiet' \
		-drive "file=$(<"$dir/disk"),format=raw,if=virtio,snapshot=on,cache=unsafe" \
		-nic "user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
		-device virtio-rng-pci -display none -monitor none -serial "file:$dir/console.log" -no-reboot \
		</dev/null >"$dir/qemu.log" 2>&1 &
	note_process "$!" "$dir/pid"
}

machine_await() {
	local dir=$work/vm until=$((SECONDS + $1))
	while ((SECONDS < until)); do
		machine_is_up || die 1 "the virtual machine ended while booting; see $dir/qemu.log and console.log"
		if machine_run true 2>"$dir/ssh.log"; then return; fi
		sleep 0.5
	done
	die 1 "the virtual machine gives no answer after $1 s; see $dir/console.log"
}

# machine_down ends it as a pulled plug would: nothing on its disk is kept.
machine_down() {
	local dir=$work/vm pid
	if machine_is_up; then
		read -r pid _ <"$dir/pid"
		kill -TERM "$pid" 2>/dev/null || true
		while machine_is_up; do sleep 0.2; done
	fi
	rm -f -- "$dir/pid" "$dir/port"
	say 'the virtual machine is down'
}
