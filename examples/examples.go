// Package examples holds the specs of this directory, for `skep init --from`. What they compile to stands beside them.
package examples

import "embed"

// Specs has a directory for each example, with the files of its spec.
//
//go:embed everything/cluster.cue everything/images.lock everything/blog everything/mqtt everything/store host/cluster.cue production/cluster.cue target/cluster.cue vpn/cluster.cue yaml/cluster.yaml
var Specs embed.FS
