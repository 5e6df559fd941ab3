# The machine that runs the runbook: its tools, the bundle, and the secrets that you hand over.

# What the runbook and its programs call here, and the Debian packages they come with.
readonly tools=(
	'awk mawk' 'base64 coreutils' 'bash bash' 'cat coreutils' 'chmod coreutils' 'cmp diffutils' 'cp coreutils' 'cut coreutils'
	'date coreutils' 'dirname coreutils' 'find findutils' 'flock util-linux' 'grep grep' 'gzip gzip' 'head coreutils'
	'mkdir coreutils' 'mktemp coreutils' 'mv coreutils' 'openssl openssl' 'realpath coreutils' 'rm coreutils' 'sed sed'
	'sha256sum coreutils' 'sort coreutils' 'ssh openssh-client' 'stat coreutils' 'tail coreutils' 'tar tar' 'tee coreutils'
	'tr coreutils' 'wc coreutils'
)

check() {
	local row object name missing=''
	look_for_tools
	for row in "${handed[@]}"; do
		read -r object name <<<"$row"
		if [[ -z $(handed_file "$name") ]]; then
			missing+="$state/secrets/$name is missing: the secret $object is made from it"$'\n'
		fi
	done
	[[ -z $missing ]] || refuse "${missing%$'\n'}" 'put each value into its file, mode 0600; or --skip operator where the swarm has the secret'
}

# look_for_tools tells all that is missing at once, with the packages.
look_for_tools() {
	local row tool package missing='' packages=''
	for row in "${tools[@]}"; do
		read -r tool package <<<"$row"
		if has "$tool" || [[ $tool == ssh && $reached_by == local ]]; then continue; fi
		missing+=" $tool"
		[[ " $packages " == *" $package "* ]] || packages+=" $package"
	done
	[[ -z $missing ]] || refuse "not found on this machine:$missing" "install them (Debian: apt-get install$packages), then run again"
	gnu "$(date -u -d 1970-01-02 +%s 2>/dev/null)" 86400 date coreutils
	gnu "$(stat -c %F / 2>/dev/null)" directory stat coreutils
	gnu "$(base64 -w 0 <<<skep 2>/dev/null)" c2tlcAo= base64 coreutils
	gnu "$(tar --version 2>/dev/null)" '*GNU*' tar tar
	gnu "$(mv --help 2>/dev/null)" '*--no-target-directory*' mv coreutils
}

# gnu ANSWER WANTED TOOL PACKAGE: the runbook and its programs are written for GNU's tools.
gnu() {
	# shellcheck disable=SC2053 # a pattern
	[[ $1 == $2 ]] || refuse "$3 on this machine is not GNU's" "install $4, or run it from a Debian machine"
}

prepare() { given reached_by "$transport"; }
