package nfs

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema"
	"skep.dev/schema/spec"
)

func cluster(address string) *schema.Cluster {
	return &schema.Cluster{
		Nodes:    schema.Nodes{{Name: "m1", Address: netip.MustParseAddr(address)}},
		Services: schema.Services{NFS: &schema.NFS{Server: "m1", Path: "/srv/share", Versions: "4", Nobody: schema.Owner{UID: 1, GID: 2}}},
	}
}

func load(t *testing.T, services string) *schema.Cluster {
	t.Helper()
	text := services + `
		name: "a", kind: "host", domain: "a.example.org"
		nodes: m1: {address: "10.0.0.11", role: "manager"}
		access: {management: ["192.0.2.0/24"], users: ["0.0.0.0/0"]}
	`
	c, _, err := spec.LoadFS(fstest.MapFS{"a.cue": {Data: []byte(text)}}, "a.cue", spec.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestVolumeName wants another name for other options, since Docker never changes a volume that exists.
func TestVolumeName(t *testing.T) {
	seen := map[string]string{}
	for _, address := range []string{"10.0.0.11", "10.0.0.12", "2001:db8::1"} {
		data, err := volume(cluster(address))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), "name: ")
		name, _, _ := strings.Cut(rest, "\n")
		if other, ok := seen[name]; ok {
			t.Errorf("%s and %s are both %q", address, other, name)
		}
		seen[name] = address
		if six := strings.Contains(string(data), "proto=tcp6,"); six != strings.Contains(address, ":") {
			t.Errorf("%s: tcp6 is %v", address, six)
		}
	}
}

func TestOwner(t *testing.T) {
	const share = "services: nfs: server: \"m1\"\n"
	c := load(t, share)
	if got := Owner(c); got != c.Services.NFS.Nobody {
		t.Errorf("without s3: %v", got)
	}
	c = load(t, share+"services: {traefik: certificate: selfSigned: {}, s3: {}}\n")
	if got := Owner(c); got != (schema.Owner{UID: c.Services.S3.UID, GID: c.Services.S3.GID}) {
		t.Errorf("with s3: %v", got)
	}
}
