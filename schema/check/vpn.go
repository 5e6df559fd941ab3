package check

import (
	"fmt"
	"net/netip"
	"strconv"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// The sizes of a subnet that OpenVPN serves: a network address, its own and a broadcast address are not handed out.
const (
	vpnLargestSubnet  = 16
	vpnSmallestSubnet = 28
)

// vpnAccess looks at the networks of services.vpn.access: what clients are, and what they reach.
func (k *checker) vpnAccess() {
	a := k.VPNAccess()
	if a == nil {
		return
	}
	const at = "services.vpn.access"
	if bits := a.Subnet.Bits(); bits < vpnLargestSubnet || bits > vpnSmallestSubnet {
		k.wrong(at+".subnet", "want a prefix length from %s to %s; a /%s has room for %s", strconv.Itoa(vpnLargestSubnet), strconv.Itoa(vpnSmallestSubnet), strconv.Itoa(bits), room(bits))
	}
	k.duplicates(at+".from", a.From)
	k.vpnZones(at+".subnet", a)
	for i, r := range a.Routes {
		k.vpnRoute(fmt.Sprintf("%s.routes.%d", at, i), a, i)
		for _, s := range []schema.OwnNetwork{{Field: "engine.pool.subnet", Prefix: k.Engine.Pool.Subnet}, {Field: "engine.bridges.subnet", Prefix: k.Engine.Bridges.Subnet}} {
			if r.Bits() > 0 && r.Overlaps(s.Prefix) {
				k.add(finding.NetworksOverlap, fmt.Sprintf("%s.routes.%d", at, i), "overlaps %s, which is %s: containers are reached at published ports only", s.Field, s.Prefix.String())
			}
		}
	}
	if a.Days > a.CADays {
		k.add(finding.FieldsDisagree, k.spec.FirstOf(at+".days", at+".caDays"), "want at most services.vpn.access.caDays, which is %s: a certificate cannot outlive its CA", strconv.Itoa(a.CADays))
	}
}

// room says how many clients a subnet of that prefix length serves.
func room(bits int) string {
	if n := 1<<(32-bits) - 3; n > 0 && bits > 0 {
		if n == 1 {
			return "1 client"
		}
		return fmt.Sprintf("%d clients", n)
	}
	return "no client"
}

// vpnZones refuses addresses of clients that the spec counts among another zone too: they would get its rights.
func (k *checker) vpnZones(path string, a *schema.VPNAccess) {
	for _, zone := range schema.AccessZones() {
		for i, p := range k.Access.Listed(zone) {
			if p.Bits() > 0 && p.Overlaps(a.Subnet) {
				k.add(finding.NetworksOverlap, k.spec.FirstOf(path, fmt.Sprintf("access.%s.%d", zone, i)), "overlaps %s in access.%s; give clients addresses that no zone has, services.vpn.access.zone says what they may", p.String(), zone)
			}
		}
	}
}

func (k *checker) vpnRoute(path string, a *schema.VPNAccess, i int) {
	r := a.Routes[i]
	if e, err := netip.ParseAddr(a.Endpoint); err == nil && r.Contains(e) {
		k.wrong(path, "holds the endpoint %s: clients would send the tunnel itself through the tunnel", a.Endpoint)
	}
	switch {
	case r.Bits() == 0:
		k.wrong(path, "would take all traffic of the clients through the cluster; name the networks that they need")
		return
	case r.Overlaps(a.Subnet):
		k.add(finding.NetworksOverlap, path, "overlaps services.vpn.access.subnet, which is %s", a.Subnet.String())
	}
	for _, other := range a.Routes[:i] {
		if r.Overlaps(other) {
			k.add(finding.NetworksOverlap, path, "overlaps %s before it", other.String())
		}
	}
}
