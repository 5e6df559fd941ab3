#!/usr/bin/env bash
# ganesha-exports ETAB CONF: writes what exportfs exports as the configuration of ganesha, for NFSv4 alone.
# Minor version 0 is for libnfs, the client in user space, which knows no other.
set -euo pipefail

declare -A clients=()
while read -r path client; do
	options=,${client#*(}
	options=${options%)},
	access=RO squash=root_squash uid=65534 gid=65534
	if [[ $options == *,rw,* ]]; then access=RW; fi
	if [[ $options == *,no_root_squash,* ]]; then squash=no_root_squash; fi
	if [[ $options == *,all_squash,* ]]; then squash=all_squash; fi
	if [[ $options =~ ,anonuid=([0-9]+), ]]; then uid=${BASH_REMATCH[1]}; fi
	if [[ $options =~ ,anongid=([0-9]+), ]]; then gid=${BASH_REMATCH[1]}; fi
	clients[$path]+="	CLIENT { Clients = ${client%%(*}; Access_Type = $access; Squash = $squash; Anonymous_Uid = $uid; Anonymous_Gid = $gid; }"$'\n'
done <"$1"

# From version 5 on it wants a privilege that nspawn does not give, unless told that it may do without.
flusher=''
if grep -qs allow_set_io_flusher_fail /usr/bin/ganesha.nfsd /usr/lib/ganesha/*; then flusher='allow_set_io_flusher_fail = true;'; fi

{
	printf 'NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; %s }\n' "$flusher"
	cat <<-'END'
		NFSv4 { Minor_Versions = 0, 1, 2; Only_Numeric_Owners = true; Graceless = true; RecoveryBackend = fs; }
	END
	id=0
	for path in "${!clients[@]}"; do
		id=$((id + 1))
		printf 'EXPORT {\n\tExport_Id = %d;\n\tPath = %s;\n\tPseudo = %s;\n' "$id" "$path" "$path"
		printf '\tAccess_Type = NONE;\n\tSquash = root_squash;\n\tSecType = sys;\n\tFSAL { Name = VFS; }\n%s}\n' "${clients[$path]}"
	done
} >"$2"
