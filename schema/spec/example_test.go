package spec_test

import (
	"errors"
	"fmt"
	"testing/fstest"

	"skep.dev/schema/finding"
	"skep.dev/schema/lint"
	"skep.dev/schema/spec"
)

const paris = `name: paris
kind: swarm
domain: paris.example.org
nodes:
  m1: {address: 10.0.0.11, role: manager}
  w1: {address: 10.0.0.12}
access: {management: [192.0.2.0/28], users: [198.51.100.0/24]}
services: {traefik: {certificate: {selfSigned: {}}}}
`

// A spec is read from any file system, such as that of a request or a revision of git. Every field of the cluster is set.
func ExampleLoadFS() {
	files := fstest.MapFS{"paris.yaml": {Data: []byte(paris), Mode: 0o444}}
	cluster, written, err := spec.LoadFS(files, "paris.yaml", spec.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range cluster.Nodes {
		fmt.Println(n.Name, n.Address, n.Role, n.SSH.Port)
	}
	for _, warning := range written.Locate(lint.Find(cluster, written)) {
		fmt.Println(warning.ID, "in line", warning.Line)
	}
	// Output:
	// m1 10.0.0.11 manager 22
	// w1 10.0.0.12 worker 22
	// managers-single in line 4
}

// All mistakes of a spec come at once, each with its place, the field, what stands there and what should.
func ExampleLoadFS_mistakes() {
	files := fstest.MapFS{"rome.yaml": {Mode: 0o444, Data: []byte(`name: rome
kind: swarm
domain: rome.example.org
nodes: {m1: {address: 10.0.0.256, role: manager}, w1: {adress: 10.0.0.12}}
access: {management: [192.0.2.0/28]}
`)}}
	_, _, err := spec.LoadFS(files, "rome.yaml", spec.DefaultLimits())
	var mistakes finding.List
	if !errors.As(err, &mistakes) { // a file that is missing, too large, or no spec at all
		fmt.Println("not read:", err)
		return
	}
	for _, m := range mistakes {
		fmt.Printf("%s:%d:%d [%s] %s\n", m.File, m.Line, m.Column, m.ID, m.Says())
	}
	// Output:
	// rome.yaml:4:23 [wrong-value] nodes.m1.address: "10.0.0.256": want an IP address such as 10.0.0.1
	// rome.yaml:4:56 [unknown-field] nodes.w1.adress: unknown field "adress"; did you mean "address"?
}
