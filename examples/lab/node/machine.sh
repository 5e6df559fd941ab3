#!/usr/bin/env bash
# machine.sh NAME DIR LAYERS: becomes one node. It runs in a mount namespace of its own.
set -euo pipefail

name=$1 node=$2 layers=$3

# A control group of its own in every hierarchy: the systemd inside takes what it is in for the root of the tree.
enter() {
	local hierarchy=$1 group=$1/skep-$name
	mkdir -p -- "$group"
	if [[ -e $group/cpuset.cpus && -e $hierarchy/cpuset.cpus && ! -e $group/cgroup.controllers ]]; then
		cat -- "$hierarchy/cpuset.cpus" >"$group/cpuset.cpus"
		cat -- "$hierarchy/cpuset.mems" >"$group/cpuset.mems"
	fi
	echo $$ >"$group/cgroup.procs"
}

for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
	if [[ -e $procs ]]; then enter "${procs%/*}"; fi
	# With version 2 alone the directories below are groups, not hierarchies. A group has the controllers that its parent
	# gives away, and Docker's limits need them.
	if [[ $procs == /sys/fs/cgroup/cgroup.procs && -e $procs ]]; then
		for controller in $(</sys/fs/cgroup/cgroup.controllers); do
			echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
		done
		break
	fi
done

# The kernel's NFS server shows the way from the root to an export, so the root must be one that it can export.
options=''
if grep -qw nfsd /proc/filesystems; then options=,index=on,nfs_export=on; fi
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$node/upper,workdir=$node/work$options" "$node/root"

# For WireGuard as a program, see nodes.sh.
tun=()
if [[ -e /dev/net/tun ]]; then tun=(--bind=/dev/net/tun); fi

# Docker's layers, containerd's since engine 29, and file handles of an NFS server want a real file system below.
exec systemd-nspawn --quiet --directory="$node/root" --machine="skep-$name" --hostname="$name" \
	--network-namespace-path="/run/netns/skep-$name" --boot --register=no --keep-unit \
	--capability=all --system-call-filter=@known --resolv-conf=off --timezone=off --link-journal=no \
	--bind="$node/docker:/var/lib/docker" --bind="$node/containerd:/var/lib/containerd" --bind="$node/srv:/srv" "${tun[@]}" --console=pipe
