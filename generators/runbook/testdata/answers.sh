#!/usr/bin/env bash
# An ssh that answers at once: every step has something to do.
set -euo pipefail
printf 'ssh %s\n' "$*" >>"$FAKE/calls"
sed -n "s/^printf .* '@skep \(.*\)'\$/@skep \1/p; "'s/^printf "@skep \([^ ]*\) .*/would change it\n@skep \1 10/p'
