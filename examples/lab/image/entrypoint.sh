#!/bin/sh
# Traefik's image takes flags without the name of the program.
set -e
case ${1-} in -* | '') set -- traefik "$@" ;; esac
exec "$@"
