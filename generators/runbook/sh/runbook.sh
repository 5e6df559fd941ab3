# Builds the cluster step by step, and takes it back. Begin with: ./runbook.sh --help

if ((BASH_VERSINFO[0] < 5)); then
	printf 'runbook: bash %s is too old: want bash 5\n' "$BASH_VERSION" >&2
	exit 2
fi
bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
readonly bundle
for part in command inventory journal transport steps verbs; do
	# shellcheck source=/dev/null
	source "$bundle/runbook/$part.sh"
done
main "$@"
