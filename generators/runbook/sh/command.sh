# The command line of runbook.sh.

usage() {
	cat <<'END'
usage: runbook.sh VERB [FLAG...]

verbs
  list      the steps, in order
  plan      the steps with hosts and reasons; touches nothing, needs no cluster
  run       for each step and host: check, apply, verify; stops at the first failure
  status    what the last run of this bundle did
  verify    asks every host whether the steps still hold; changes nothing
  undo      takes the steps back, last one first

flags
  --from STEP  --to STEP    only this stretch of the steps
  --only STEP  --skip STEP  only, or all but, this step (repeat for more)
  --host NAME               only this node, or "operator" for this machine (repeat for more)
  --except NAME             all but this node (repeat for more)
  --remove-dead NODE        take a node that is Down out of the swarm (repeat for more); --yes alone never does
  --adopt STACK             deploy over a stack of that name that is there and was not this runbook's (repeat for more)
  --planned SHA256          refuse a bundle other than the one that was planned: skep plan tells the digest of its MANIFEST
  --dry-run                 checks only: says what run would change
  --detailed-exitcode       of a dry run: 0 when a run would change nothing, 5 when it would
  --yes                     do not ask before a dangerous step
  --json                    one JSON object a line on stdout
  --parallel N              hosts at a time (8)
  --transport ssh|local     local: run the steps of this machine, named by --host, without ssh
  --state DIR               state, log, certificates (the bundle's directory with ".state" added)
  --images DIR              image archives for sites without a registry ("images" beside the bundle)
  --packages DIR            Debian packages for sites without a mirror ("packages" beside the bundle)
  --ssh-config FILE         ssh -F FILE

A STEP is its name (engine) or number (30). Run it again after any failure or interruption: what is done stays done.
A host that does not answer is named once and left out; the others go on, and the run ends with 1.
exit: 0 good, 1 a step failed or something is open, 2 usage, 3 refused, 4 input or output, 5 see --detailed-exitcode
END
}

# Options, set by parse.
verb='' from='' to='' yes=no dry=no detailed=no json=no parallel=8 transport=ssh state='' images_directory='' packages_directory='' ssh_config='' planned=''
only=() skip=() wanted=() except=() removed=() adopted=()

# value FLAG COUNT: the flag must be followed by a value.
value() {
	(($2 > 1)) || die 2 "$1: want a value"
}

parse() {
	while (($#)); do
		case $1 in
		-h | --help)
			usage
			exit 0
			;;
		--yes) yes=yes ;;
		--dry-run) dry=yes ;;
		--detailed-exitcode) detailed=yes ;;
		--json) json=yes ;;
		--*=*)
			set -- "${1%%=*}" "${1#*=}" "${@:2}"
			continue
			;;
		--from | --to | --only | --skip | --host | --except | --remove-dead | --adopt | --parallel | --transport | --state | --images | --packages | --ssh-config | --planned)
			value "$1" "$#"
			option "$1" "$2"
			shift
			;;
		-*) die 2 "$1: unknown flag; see runbook.sh --help" ;;
		*)
			[[ -z $verb ]] || die 2 "$1: want one verb; see runbook.sh --help"
			verb=$1
			;;
		esac
		shift
	done
}

option() {
	case $1 in
	--from) from=$2 ;;
	--to) to=$2 ;;
	--only) only+=("$2") ;;
	--skip) skip+=("$2") ;;
	--host) wanted+=("$2") ;;
	--except) except+=("$2") ;;
	--remove-dead) removed+=("$2") ;;
	--adopt) adopted+=("$2") ;;
	--parallel) parallel=$2 ;;
	--transport) transport=$2 ;;
	--state) state=$2 ;;
	--images) images_directory=$2 ;;
	--packages) packages_directory=$2 ;;
	--ssh-config) ssh_config=$2 ;;
	--planned) planned=$2 ;;
	esac
}

# settle checks the options against each other and the inventory.
settle() {
	[[ $parallel =~ ^[1-9][0-9]{0,3}$ ]] || die 2 "--parallel $parallel: want a number from 1 to 9999"
	[[ $transport == ssh || $transport == local ]] || die 2 "--transport $transport: want ssh or local"
	if [[ -n $planned ]]; then
		[[ $planned =~ ^[0-9a-f]{64}$ ]] || die 2 "--planned $planned: want the sha256 digest of a MANIFEST"
		digest_of_bundle
		[[ $planned == "$digest" ]] || die 3 "--planned $planned: this bundle is another one, $digest: plan it again (skep plan)"
	fi
	[[ -z $ssh_config || -r $ssh_config ]] || die 4 "--ssh-config $ssh_config: no such file"
	local host
	for host in "${wanted[@]}"; do known_host --host "$host"; done
	for host in "${except[@]}"; do
		known_host --except "$host"
		excepted[$host]=1
	done
	for host in "${removed[@]}"; do
		[[ $host =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die 2 "--remove-dead $host: want the name of a node, as docker node ls shows it"
	done
	for host in "${adopted[@]}"; do
		[[ $host =~ ^[a-z0-9][a-z0-9-]*$ ]] || die 2 "--adopt $host: want the name of a stack of the spec"
	done
	if [[ $transport == local ]]; then
		local nodes=("${wanted[@]}")
		for host in "${!nodes[@]}"; do [[ ${nodes[host]} != operator ]] || unset "nodes[$host]"; done
		((${#nodes[@]} == 1)) || die 2 "--transport local: say with --host which node this machine is"
		# Only the first manager makes certificates: two authorities would not trust each other.
		[[ ${nodes[*]} != "$first_manager" ]] || wanted+=(operator)
	fi
	state=${state:-$origin.state}
	[[ $(realpath -m -- "$state")/ != "$origin"/* ]] || die 3 "--state $state: is inside the bundle, which is published; name a directory outside of it"
	images_directory=${images_directory:-${origin%/*}/images}
	[[ -z $packages_directory ]] || bring "$packages_directory" || die 4 "--packages $packages_directory: holds no packages; packages/fetch.sh writes them"
	packages_directory=${packages_directory:-${origin%/*}/packages}
}

# bring DIR: whether packages were brought in it.
bring() { compgen -G "$1/*_*/debian/dists" >/dev/null; }

# known_host FLAG NAME
known_host() {
	[[ $2 == operator || -n ${inventory_address[$2]:-} ]] || die 2 "$1 $2: no such node in runbook/hosts"
}

main() {
	parse "$@"
	case $verb in
	list | plan | run | status | verify | undo) ;;
	'')
		usage >&2
		exit 2
		;;
	*) die 2 "$verb: unknown verb; want list, plan, run, status, verify or undo" ;;
	esac
	((${#removed[@]} == 0)) || [[ $verb == run ]] || die 2 '--remove-dead: only run removes a node'
	((${#adopted[@]} == 0)) || [[ $verb == run ]] || die 2 '--adopt: only run deploys a stack'
	[[ -z $planned || $verb == run ]] || die 2 '--planned: only run applies what was planned'
	[[ $detailed == no || $dry == yes && $verb == run ]] || die 2 '--detailed-exitcode: is for run --dry-run'
	[[ $dry == no || $verb == run || $verb == undo ]] || die 2 "--dry-run: only run and undo change anything"
	read_inventory
	settle
	read_steps
	select_steps
	"verb_$verb"
}
