# shellcheck shell=bash disable=SC2154 # the variables of lab, which reads this file
# Images.
images() { die 1 "images: not yet"; }
