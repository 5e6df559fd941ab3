package nfs

import (
	"net/netip"
	"strings"
	"testing"

	"skep.dev/schema"
)

func cluster(address string) *schema.Cluster {
	return &schema.Cluster{
		Nodes:    schema.Nodes{{Name: "m1", Address: netip.MustParseAddr(address)}},
		Services: schema.Services{NFS: &schema.NFS{Server: "m1", Path: "/srv/share", Versions: "4", Nobody: schema.Owner{UID: 1, GID: 2}}},
	}
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
	c := cluster("10.0.0.11")
	if got := Owner(c); got != (schema.Owner{UID: 1, GID: 2}) {
		t.Errorf("without s3: %v", got)
	}
	c.Services.S3 = &schema.S3{UID: 3, GID: 4}
	if got := Owner(c); got != (schema.Owner{UID: 3, GID: 4}) {
		t.Errorf("with s3: %v", got)
	}
}
