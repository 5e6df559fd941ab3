package generators_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"

	"skep.dev/generators"
	"skep.dev/generators/artifact"
	"skep.dev/schema/spec"
)

const paris = `name: paris
kind: swarm
domain: paris.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}, w1: {address: 10.0.0.12}}
access: {management: [192.0.2.0/28]}
`

// From a spec to the files of its bundle, in memory.
func ExampleGenerate() {
	files := fstest.MapFS{"paris.yaml": {Data: []byte(paris), Mode: 0o444}}
	cluster, _, err := spec.LoadFS(files, "paris.yaml", spec.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	bundle, err := generators.Generate(cluster)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range bundle {
		if filepath.Dir(f.Path) == "firewall" {
			fmt.Println(f.Mode, f.Path)
		}
	}
	// Output:
	// -rw-r--r-- firewall/docker.service.conf
	// -rw-r--r-- firewall/manager.nft
	// -rw-r--r-- firewall/skep-firewall.service
	// -rwxr-xr-x firewall/skep-firewall.sh
	// -rw-r--r-- firewall/worker.nft
}

// A bundle on disk is written whole, and compared with what it should be.
func ExampleGenerate_disk() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	files := fstest.MapFS{"paris.yaml": {Data: []byte(paris), Mode: 0o444}}
	cluster, _, err := spec.LoadFS(files, "paris.yaml", spec.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	bundle, err := generators.Generate(cluster)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := artifact.Write(dir, bundle); err != nil {
		fmt.Println(err)
		return
	}

	if err := os.WriteFile(filepath.Join(dir, "firewall/worker.nft"), []byte("flush ruleset\n"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	differences, err := artifact.Diff(dir, bundle)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range differences {
		fmt.Println(d.Kind, d.Path)
	}
	// Output: edited firewall/worker.nft
}
