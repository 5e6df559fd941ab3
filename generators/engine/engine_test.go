package engine

import (
	"testing"

	"skep.dev/schema"
)

func TestReserved(t *testing.T) {
	c := &schema.Cluster{
		Applications: schema.Applications{
			Ingress: schema.PortRange{First: 30000, Last: 32767},
			Host:    schema.PortRange{First: 40000, Last: 49999},
		},
		Exposures: schema.Exposures{
			{Proto: "tcp", Port: 22, Last: 22, Field: "below"},
			{Proto: "tcp", Port: 30000, Last: 32767, Field: "a range"},
			{Proto: "tcp", Port: 30001, Last: 30001, Field: "inside ingress"},
			{Proto: "udp", Port: 30001, Last: 30001, Field: "again"},
			{Proto: "tcp", Port: 35000, Last: 35000, Field: "between"},
			{Proto: "udp", Port: 49999, Last: 49999, Field: "last of host"},
			{Proto: "esp"},
		},
		Services: schema.Services{NFS: &schema.NFS{Ports: schema.NFSPorts{Mountd: 40001, Lockd: 40002, Statd: 40003, StatdOutgoing: 40005}}},
	}
	if got, want := ranges(reserved(c)), "30001,40001-40003,40005,49999"; got != want {
		t.Errorf("reserved %s, want %s", got, want)
	}
}
