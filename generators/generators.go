// Package generators says what a cluster becomes: the files of a bundle.
package generators

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"skep.dev/generators/artifact"
	"skep.dev/generators/engine"
	"skep.dev/generators/firewall"
	"skep.dev/generators/gitops"
	"skep.dev/generators/images"
	"skep.dev/generators/nfs"
	"skep.dev/generators/packages"
	"skep.dev/generators/review"
	"skep.dev/generators/runbook"
	"skep.dev/generators/stack"
	"skep.dev/generators/tls"
	"skep.dev/generators/vpn"
	"skep.dev/schema"
)

// generators are independent of each other: none reads what another one makes.
var generators = []func(*schema.Cluster) ([]artifact.File, error){
	tls.Files,
	engine.Files,
	firewall.Files,
	nfs.Files,
	vpn.Files,
	stack.Files,
	runbook.Files,
	review.Files,
	images.Files,
	packages.Files,
}

// Generate returns every file of the cluster's bundle but its MANIFEST, sorted by path.
// It is pure: no file, clock, environment, network or random source; the same cluster gives the same bytes.
func Generate(c *schema.Cluster) ([]artifact.File, error) {
	parts := make([][]artifact.File, len(generators))
	errs := make([]error, len(generators))
	var wait sync.WaitGroup
	for i, generate := range generators {
		wait.Go(func() { parts[i], errs[i] = generate(c) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	files := slices.Concat(parts...)
	agents, err := gitops.Files(c, files)
	if err != nil {
		return nil, err
	}
	files = append(files, agents...)
	files = append(files, artifact.Records(files)...)
	slices.SortFunc(files, func(a, b artifact.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}
