package schema

import "net/netip"

// VPN holds the ways into the cluster from machines that are elsewhere; one that the spec does not name is nil.
type VPN struct {
	Access *VPNAccess `json:"access,omitempty"`
	Mesh   *Mesh      `json:"mesh,omitempty"`
}

// VPNAccess is an OpenVPN server on one node. Days and CADays are lifetimes of certificates, Largest is in bytes.
type VPNAccess struct {
	Scope    string         `json:"scope"` // "customer" or "nuvlabox"
	Node     string         `json:"node"`
	Endpoint string         `json:"endpoint"`
	Port     uint16         `json:"port"`
	Protocol string         `json:"protocol"` // "udp" or "tcp"
	From     []string       `json:"from"`     // zones that may connect
	Zone     string         `json:"zone"`     // the zone that clients are in
	Subnet   netip.Prefix   `json:"subnet"`
	Routes   []netip.Prefix `json:"routes"`
	Prefix   string         `json:"prefix"`
	Days     int            `json:"days"`
	CADays   int            `json:"caDays"`
	Device   string         `json:"device"`
	Largest  int            `json:"largest"`
}

// VPNAccess returns services.vpn.access, or nil.
func (c *Cluster) VPNAccess() *VPNAccess { return c.Services.VPN.Access }
