package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"skep.dev/schema"
	"skep.dev/schema/finding"
	"skep.dev/schema/written"
)

// exposures looks at the rows that the spec adds.
func (k *checker) exposures() {
	for _, name := range k.spec.Names("exposures") {
		if e, ok := k.Exposure(name); ok && !e.Added() {
			k.add(finding.DerivedSet, schema.JoinPath("exposures", name), written.OwnRowRule)
		}
	}
	for _, e := range k.Exposures {
		if !e.Added() {
			continue
		}
		path := schema.JoinPath("exposures", e.Name)
		k.portless(path, e)
		if e.Last < e.Port && schema.HasPorts(e.Proto) {
			k.wrong(path+".last", "want a port of %s or above, where the range begins", strconv.Itoa(int(e.Port)))
		}
		if len(e.On) == 0 {
			k.wrong(path+".on", "is empty: name the nodes that listen, or \"all\"")
		}
		if len(e.From) == 0 {
			k.wrong(path+".from", "is empty: name the zones that may connect")
		}
		k.nodesOrGroups(path+".on", e.On)
		if plain := k.Engine.Ports.Plain; e.Proto == "tcp" && e.Port == plain && e.Last == plain {
			k.wrong(path+".port", "is the Docker API without TLS, which stays closed: choose another port")
		}
	}
}

func isGroup(name string) bool { return name == "all" || name == "managers" || name == "workers" }

// nodesOrGroups looks for each name of a list of the spec. What a service names is a row, which the schema looks at.
func (k *checker) nodesOrGroups(path string, names []string) {
	for i, name := range names {
		if !isGroup(name) && k.Node(name).Name == "" {
			k.add(finding.NotANode, fmt.Sprintf("%s.%d", path, i), "%s", k.noNode(name))
		}
	}
}

// noNode says that a name is no node's, and which one was probably meant.
func (k *checker) noNode(name string) string {
	return name + " is not a node" + written.DidYouMean(name, k.Nodes.Names())
}

// tests looks at the form of the tests; whether they hold is for the firewall to say.
func (k *checker) tests() {
	for i, test := range k.Tests {
		path := fmt.Sprintf("tests.%d", i)
		address, addressErr := netip.ParseAddr(test.From)
		if address.Is4In6() {
			k.wrong(path+".from", "is IPv4 written as IPv6; want it as %s", address.Unmap().String())
		}
		if addressErr != nil && !slices.Contains(k.Zones(), test.From) && k.Node(test.From).Name == "" {
			k.add(finding.NotANode, path+".from", "%s", test.From+" is neither a zone nor a node"+written.DidYouMean(test.From, k.Zones()))
		}
		if len(k.NodesNamed(test.To)) == 0 && test.To != "workers" {
			text := k.noNode(test.To)
			if _, err := netip.ParseAddr(test.To); err == nil {
				text = "no node has the address " + test.To
			}
			k.add(finding.NotANode, path+".to", "%s", text)
		}
		k.testAnswer(path, test)
	}
}

func (k *checker) testAnswer(path string, test schema.Test) {
	hasPorts := schema.HasPorts(test.Proto)
	if test.Proto != "all" && test.Proto != "icmp" {
		k.protocol(path+".proto", test.Proto)
	}
	switch {
	case test.Want == "" && test.Only == nil, test.Want != "" && test.Only != nil:
		k.add(finding.FieldsDisagree, path, "want exactly one of want and only")
	case test.Only != nil && test.Port != 0:
		k.add(finding.FieldsDisagree, path+".port", "belongs to want; only lists its ports itself")
	case test.Only != nil && !hasPorts && test.Proto != "all":
		k.wrong(path+".proto", "has no ports: want \"tcp\", \"udp\" or \"all\"")
	case test.Want != "" && test.Proto == "all":
		k.add(finding.FieldsDisagree, path+".proto", "belongs to only: want one protocol, such as \"tcp\"")
	case test.Want != "" && hasPorts && test.Port == 0:
		k.wrong(path, "want a port")
	case test.Want != "" && !hasPorts && test.Port != 0:
		k.wrong(path+".port", "%s has no ports; leave it out", test.Proto)
	}
	for i, p := range test.Only {
		_, proto, ok := p.Range()
		switch at := fmt.Sprintf("%s.only.%d", path, i); {
		case !ok:
			k.wrong(at, "want ports from 1 to 65535, the first one first")
		case proto != "" && test.Proto != "all" && proto != test.Proto:
			k.add(finding.FieldsDisagree, at, "is of another protocol than the test's, %s", test.Proto)
		}
	}
}
