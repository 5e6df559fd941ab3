#!/usr/bin/env bash
# The steps of action.yml, which sets the variables in capitals:
#
#   skep.sh install | review | comment
set -euo pipefail

# die CODE TEXT
die() {
	printf 'skep action: %s\n' "$2" >&2
	exit "$1"
}

# install puts the release VERSION on PATH, when those who sign skep's releases signed its sums. Who they are is part of the action.
install_skep() {
	local os arch name into
	if [[ -z $VERSION ]]; then
		command -v skep >/dev/null || die 2 'skep is not on PATH: install it in a step before, or set version'
		return
	fi
	VERSION=${VERSION#v}
	[[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || die 2 "version $VERSION: want a release such as 1.2.3"
	case $RUNNER_OS in
	Linux) os=linux ;;
	macOS) os=darwin ;;
	*) die 2 "$RUNNER_OS: no release is for it; put a skep on PATH, and leave version out" ;;
	esac
	case $RUNNER_ARCH in
	X64) arch=amd64 ;;
	ARM64) arch=arm64 ;;
	*) die 2 "$RUNNER_ARCH: no release is for it; put a skep on PATH, and leave version out" ;;
	esac
	name=skep_${VERSION}_${os}_$arch
	into=$(mktemp -d "$RUNNER_TEMP/skep.XXXXXX")
	for file in SHA256SUMS SHA256SUMS.sig "$name.tar.gz"; do
		curl --proto '=https' --fail --silent --show-error --location --retry 3 --output "$into/$file" \
			"$GITHUB_SERVER_URL/$REPOSITORY/releases/download/v$VERSION/$file" || die 4 "v$VERSION: $file cannot be fetched"
	done
	ssh-keygen -Y verify -n skep-release -I release -f "$GITHUB_ACTION_PATH/.github/allowed_signers" \
		-s "$into/SHA256SUMS.sig" <"$into/SHA256SUMS" || die 3 "v$VERSION: SHA256SUMS is not signed by a key of .github/allowed_signers"
	(cd -- "$into" && grep -F "  $name.tar.gz" SHA256SUMS | sha256sum --check --strict -) || die 3 "v$VERSION: $name.tar.gz is not what SHA256SUMS says"
	tar -xzf "$into/$name.tar.gz" -C "$into"
	printf '%s\n' "$into/$name" >>"$GITHUB_PATH"
}

# output NAME VALUE
output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# block prints text of others as Markdown that is a block of code, whatever it holds.
block() { LC_ALL=C head -c 200000 -- "$1" | sed 's/^/    /'; }

# review finds all that it can, and fails at the end.
review() {
	local work first code bundle=${BUNDLE-}
	work=$(mktemp -d "$RUNNER_TEMP/skep.XXXXXX")
	if [[ -z $bundle ]]; then
		bundle=$SPEC/bundle
		[[ -d $SPEC ]] || bundle=$(dirname -- "$SPEC")/bundle
	fi

	local vet=(--format github --format "text=$work/findings")
	if [[ $SARIF == true ]]; then
		vet+=(--format "sarif=$work/skep.sarif")
		output sarif "$work/skep.sarif"
	fi
	first=0
	: >"$work/findings"
	skep vet "${vet[@]}" -- "$SPEC" || first=$?
	output findings "$(wc -l <"$work/findings")"
	if [[ -s $work/findings ]]; then
		printf '### skep vet\n\n%s\n\n' "$(block "$work/findings")" >>"$GITHUB_STEP_SUMMARY"
	fi

	# A spec with a mistake compiles to nothing.
	if [[ $CHECK == true && $first == 0 ]]; then
		code=0
		skep build --check --output "$bundle" -- "$SPEC" >"$work/check" || code=$?
		sed 's/^/skep: /' "$work/check" # so that no line is a command to the runner
		if ((code == 1)); then
			printf '::error title=stale::the bundle is not what the spec compiles to: skep build, and commit what it writes\n'
			printf '### The bundle is not what the spec compiles to\n\n%s\n\n' "$(block "$work/check")" >>"$GITHUB_STEP_SUMMARY"
		fi
		first=$code
	fi
	if [[ $STRICT == true && $first == 0 && -s $work/findings ]]; then first=1; fi

	if [[ -n $BASE ]]; then
		code=0
		plan "$work/plan.md" "$bundle" || code=$?
		((first)) || first=$code
	fi
	output exit-code "$first"
	return "$first"
}

# plan FILE BUNDLE tells what merging the bundle would do.
plan() {
	local code=0
	[[ $BASE =~ ^[0-9A-Za-z][0-9A-Za-z._/-]*$ ]] || die 2 "base: want a commit, such as the sha of the pull request's base"
	git rev-parse --quiet --verify "$BASE^{commit}" >/dev/null || die 2 "base $BASE: is not in this clone; set fetch-depth: 0 at the checkout"
	if ! git cat-file -e "$BASE:./$2/MANIFEST" 2>/dev/null; then
		printf '### No plan\n\nThe base has no bundle there, so a first run makes all of it.\n\n' >>"$GITHUB_STEP_SUMMARY"
		return 0
	fi
	[[ -e $2/MANIFEST ]] || die 1 "$2: is not a bundle; skep build, and commit it"
	skep plan --format markdown --detailed-exitcode -- "$BASE:$2" "$2" >"$1" || code=$?
	((code == 0 || code == 5)) || return "$code"
	cat -- "$1" >>"$GITHUB_STEP_SUMMARY"
	output plan-markdown "$1"
	output changed "$(if ((code == 5)); then echo true; else echo false; fi)"
}

# comment edits the comment of an earlier run, which begins with the same line; a first one is made when there is something to tell.
# A pull request of a fork has a token that may not write: the plan then stands in the summary alone.
comment() {
	local marker id='' number first
	marker=$(head -n 1 -- "$PLAN")
	if ! command -v gh >/dev/null; then
		printf '::notice::no gh on this runner, so the plan stands in the summary alone\n'
		return 0
	fi
	[[ $NUMBER =~ ^[0-9]+$ ]] || die 2 "$NUMBER: is not the number of a pull request"
	local mine='.comments[] | select(.viewerDidAuthor) | [(.url | split("-") | last), (.body | split("\n") | first | rtrimstr("\r"))] | @tsv'
	while IFS=$'\t' read -r number first; do
		[[ $first != "$marker" ]] || id=$number
	done < <(gh pr view "$NUMBER" --repo "$GITHUB_REPOSITORY" --json comments --jq "$mine" || true)
	if [[ $id =~ ^[0-9]+$ ]]; then
		gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$PLAN" && return
	elif [[ $CHANGED == true ]]; then
		gh api --silent "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --field "body=@$PLAN" && return
	else
		return 0
	fi
	printf '::notice::the token may not comment, so the plan stands in the summary alone\n'
}

case ${1-} in
install) install_skep ;;
review | comment) "$1" ;;
*) die 2 'want install, review or comment' ;;
esac
