// Package generators says what a cluster becomes: the files of a bundle.
package generators

import (
	"slices"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/firewall"
	"skep.dev/generators/nfs"
	"skep.dev/generators/review"
	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
	"skep.dev/generators/tls"
	"skep.dev/schema"
)

// Generate returns every file of the cluster's bundle but its MANIFEST, sorted by path.
// It is pure: no file, clock, environment, network or random source; the same cluster gives the same bytes.
func Generate(c *schema.Cluster) ([]artifact.File, error) {
	var files []artifact.File
	for _, generate := range []func(*schema.Cluster) ([]artifact.File, error){
		tls.Files,
		engine.Files,
		firewall.Files,
		nfs.Files,
		stack.Files,
		runbook.Files,
		review.Files,
	} {
		fs, err := generate(c)
		if err != nil {
			return nil, err
		}
		files = append(files, fs...)
	}
	slices.SortFunc(files, func(a, b artifact.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}
