package check

import (
	"fmt"
	"maps"
	"slices"

	"skep.dev/schema"
	"skep.dev/schema/finding"
)

// nuvla refuses the zone of that name, wherever the spec names it, on a cluster that has nothing to do with Nuvla.
func (k *checker) nuvla() {
	if k.ServesNuvla() {
		return
	}
	if k.spec.Has("access.nuvla") {
		k.add(finding.FieldsDisagree, "access.nuvla", "is for a cluster that Nuvla drives, of kind \"target\"; this is a \"swarm\": remove it")
	}
	named := func(path, zone string) {
		if zone == "nuvla" {
			k.add(finding.FieldsDisagree, path, "is not a zone of a \"swarm\": want management or users")
		}
	}
	list := func(path string, zones []string) {
		for i, zone := range zones {
			named(fmt.Sprintf("%s.%d", path, i), zone)
		}
	}
	for _, e := range k.Exposures {
		if e.Added() {
			list(schema.JoinPath("exposures", e.Name)+".from", e.From)
		}
	}
	for _, s := range k.Stacks {
		for _, name := range slices.Sorted(maps.Keys(s.Exposures)) {
			list(s.Field("exposures", name)+".from", s.Exposures[name].From)
		}
	}
	for i, f := range k.Firewall.Forward {
		named(fmt.Sprintf("firewall.forward.%d.from", i), f.From)
	}
	if m := k.Services.Monitoring; m != nil {
		list("services.monitoring.grafana.from", m.Grafana.From)
	}
	if a := k.VPNAccess(); a != nil {
		list("services.vpn.access.from", a.From)
		named("services.vpn.access.zone", a.Zone)
	}
	if m := k.Mesh(); m != nil {
		for _, p := range m.Peers {
			named(schema.JoinPath("services", "vpn", "mesh", "peers", p.Name)+".zone", p.Zone)
		}
	}
}
