package proof_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"skep.dev/generators/firewall"
	"skep.dev/schema"
)

// dice makes clusters that nobody would write: zones that lie in each other and in the world, rows open to any of them.
type dice struct{ *rand.Rand }

func (d dice) networks() []netip.Prefix {
	all := []string{
		"10.0.0.0/8", "10.0.0.11/32", "10.0.0.12/31", "172.20.0.0/16", "192.0.2.0/24", "192.0.2.128/25", "198.51.100.7/32",
		"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "2001:db8::/32", "2001:db8:1::/48", "::/0",
	}
	var out []netip.Prefix
	for range d.IntN(4) {
		out = append(out, netip.MustParsePrefix(all[d.IntN(len(all))]))
	}
	return out
}

func (d dice) zones(names []string) []string {
	var out []string
	for _, name := range names {
		if d.IntN(3) == 0 {
			out = append(out, name)
		}
	}
	return out
}

// shuffle gives a cluster other zones, rows open to others, and packets to pass on.
func (d dice) shuffle(c *schema.Cluster) {
	c.Access = schema.Access{Management: d.networks(), Nuvla: d.networks(), Users: d.networks()}
	for i := range c.Exposures {
		if d.IntN(2) == 0 {
			c.Exposures[i].From = d.zones(append(schema.Zones(), "public"))
		}
	}
	senders := append(schema.AccessZones(), "192.168.122.0/24", "10.0.0.0/8")
	for range d.IntN(3) {
		c.Firewall.Forward = append(c.Firewall.Forward, schema.Forward{
			From: senders[d.IntN(len(senders))], To: netip.MustParsePrefix([]string{"0.0.0.0/0", "10.0.0.0/8", "::/0", "203.0.113.0/24"}[d.IntN(4)]),
			Device: []string{"", "virbr0"}[d.IntN(2)], On: []string{"all"}, Why: "guests",
		})
	}
}

// TestFaultsOfDice: the rules of clusters by the dice let in what their specs want, and nothing else.
func TestFaultsOfDice(t *testing.T) {
	for seed := range uint64(40) {
		d := dice{rand.New(rand.NewPCG(seed, 10))}
		example, backend := []string{"target", "vpn"}[seed%5/4], backends()[seed%2]
		c, _ := rulesetsOf(t, example, backend)
		d.shuffle(c)
		sim, err := firewall.Simulate(c, filesOf(t, c))
		if err != nil {
			t.Fatal(err)
		}
		for f := range sim.Faults() {
			t.Errorf("dice %d: %s, %s: %s (%+v)", seed, example, backend, f, f.Packet)
			break
		}
	}
}
