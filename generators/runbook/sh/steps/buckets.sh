# Every bucket belongs to the user of the storage. What root's keys made before, or somebody with mkdir, goes over to it.

readonly patience=120 # seconds
readonly amiss="a bucket is not $s3_user's"

# sha256 of an empty body
readonly nothing=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# task finds the server's task on this node, and reads root's keys in it; nothing of them is kept here.
task() {
	local id
	id=$(docker ps --quiet --filter "label=com.docker.swarm.service.name=$s3_service" --filter health=healthy | head -n 1)
	[[ -n $id ]] && docker exec "$id" test -r "/run/secrets/$s3_user_key" && pid=$(docker inspect --format '{{.State.Pid}}' "$id") &&
		login=$(docker exec "$id" cat "/run/secrets/${s3_root_keys[0]}") && login+=:$(docker exec "$id" cat "/run/secrets/${s3_root_keys[1]}")
}

# request METHOD PORT PATH asks as root, from within the task's network. The keys go in on stdin.
request() {
	printf 'user = "%s"\n' "$login" |
		nsenter --net --target "$pid" curl --silent --show-error --fail --noproxy '*' --max-time 30 --config - \
			--aws-sigv4 "aws:amz:$s3_region:s3" --header "x-amz-content-sha256: $nothing" --request "$1" "http://127.0.0.1:$2$3"
}

# others prints the buckets that are not the user's. A directory of somebody else, lost+found for one, is no bucket: the server could not
# write into it.
others() {
	local path name answer
	for path in "$s3_directory"/*/; do
		path=${path%/}
		name=${path##*/}
		[[ $name =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ && ! -L $path && $(stat -c %u -- "$path") == "$s3_uid" ]] || continue
		answer=$(request GET "$s3_port" "/$name?acl=") || return
		[[ $answer == *"<Owner><ID>$s3_user</ID>"* ]] || printf '%s\n' "$name"
	done
}

check() {
	local name list
	need_engine
	task || unknown "no task of $s3_service with the key of $s3_user runs here yet"
	list=$(others) || refuse 'S3 does not tell whose its buckets are:' "$list"
	for name in $list; do would "give the bucket $name to $s3_user"; done
}

apply() {
	local name list
	wait_for "$patience" "the task of $s3_service" task
	list=$(others)
	for name in $list; do
		request PATCH "$s3_admin_port" "/change-bucket-owner?bucket=$name&owner=$s3_user" || refuse "the bucket $name does not change its owner"
		say "the bucket $name is now $s3_user's"
	done
	[[ -z $list ]] || say "note: root's keys may have made these buckets: give whoever holds them the keys of $s3_user, then raise services.s3.revision"
}
