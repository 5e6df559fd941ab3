package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"skep.dev/generators/firewall"
	"skep.dev/generators/review"
	"skep.dev/schema"
)

// reachOptions are the flags of reach.
type reachOptions struct {
	from, to, via string
	format        *format
}

func newReachCmd() *cobra.Command {
	var o reachOptions
	cmd := &cobra.Command{
		Use:   "reach [SPEC]",
		Short: "show who may reach what, or what becomes of one packet",
		Long: `reach shows the exposure matrix of SPEC: for each zone the ports that are open to it, where, why, and the line of
the spec that decides. Everything else is dropped.

With --from and --to it sends one packet through the firewall rules that SPEC compiles to, as a node would see it, and
names the rule that decides and the line of the spec that it comes from. --from is a zone (management, nuvla, users,
cluster, containers), a node or an address; a zone stands for all of its addresses that are in no other zone. --to is a
node, an address of one, or all, managers or workers, with a port; without a protocol it is tcp. esp and icmp have no
port. The exit code is 0 when all packets are allowed, 1 when one is denied.

With --via the packet goes through a node to another machine: --to is then another node or any address.`,
		Example: `  skep reach
  skep reach --from users --to m1:443
  skep reach --from 198.51.100.7 --to managers:2376/tcp
  skep reach --from 2001:db8::7 --to [2001:db8:1::11]:80/tcp
  skep reach --from cluster --to w1/esp
  skep reach --from 198.51.100.7 --to 10.0.0.99:5432 --via m1`,
		Args:              oneSpec,
		ValidArgsFunction: completeSpec,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reach(cmd, specArg(args), o)
		},
	}
	cmd.Flags().StringVar(&o.from, "from", "", "where the packet comes from: `ZONE|NODE|IP`")
	cmd.Flags().StringVar(&o.to, "to", "", "where it goes to: `NODE:PORT/PROTO`")
	cmd.Flags().StringVar(&o.via, "via", "", "the node that it goes through, to another machine: `NODE`")
	o.format = addFormat(cmd, formatMarkdown)
	return cmd
}

func reach(cmd *cobra.Command, path string, o reachOptions) error {
	asks := cmd.Flags().Changed("from") || cmd.Flags().Changed("to") || cmd.Flags().Changed("via")
	if asks && (o.from == "" || o.to == "") {
		return usageError{"reach: want --from and --to together, or neither"}
	}
	to, err := parseTarget(o.to)
	if asks && err != nil {
		return usageError{"reach: --to: " + err.Error()}
	}
	if asks && *o.format == formatMarkdown {
		return usageError{"reach: --format markdown is for the matrix: leave out --from and --to"}
	}
	c, err := load(path)
	if err != nil {
		return err
	}
	if !asks && *o.format == formatMarkdown {
		_, err := fmt.Fprint(cmd.OutOrStdout(), review.Matrix(c.Cluster))
		return err
	}
	files, err := firewall.Files(c.Cluster)
	if err != nil {
		return err
	}
	sim, err := firewall.Simulate(c.Cluster, files)
	if err != nil {
		return err
	}
	if !asks {
		return writeMatrix(cmd.OutOrStdout(), c, sim, *o.format)
	}
	if err := known(c.Cluster, o, to); err != nil {
		return err
	}
	return ask(cmd, sim, c, o, to)
}

// oneSpec refuses a question without its flags.
func oneSpec(cmd *cobra.Command, args []string) error {
	if len(args) == 2 && strings.Contains(args[1], ":") {
		return usageError{fmt.Sprintf("reach: did you mean --from %s --to %s? (see: skep reach --help)", args[0], args[1])}
	}
	return atMost(1, "SPEC")(cmd, args)
}

// destination is what --to says.
type destination struct {
	node  string
	port  uint16
	proto string
}

// parseTarget reads NODE:PORT/PROTO, ADDRESS:PORT, [ADDRESS]:PORT/PROTO, or NODE/esp.
func parseTarget(s string) (destination, error) {
	d := destination{proto: "tcp"}
	rest, proto, ok := strings.Cut(s, "/")
	if ok {
		d.proto = proto
	}
	d.node = rest
	port := ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && (strings.Count(rest, ":") == 1 || strings.Contains(rest, "]")) {
		if !strings.HasSuffix(rest, "]") {
			d.node, port = rest[:i], rest[i+1:]
		}
	}
	d.node = strings.TrimSuffix(strings.TrimPrefix(d.node, "["), "]")
	switch {
	case !knownProtocol(d.proto):
		return d, fmt.Errorf("%q: want the protocol tcp, udp, icmp, one without ports (%s), or its number", d.proto, strings.Join(schema.ProtocolNames(), ", "))
	case d.node == "":
		return d, fmt.Errorf("%q: want a node and a port such as m1:443/tcp", s)
	case !schema.HasPorts(d.proto):
		if port != "" {
			return d, fmt.Errorf("%q: %s has no ports", s, d.proto)
		}
		return d, nil
	}
	if i := strings.LastIndexByte(rest, ':'); port == "" && strings.Count(rest, ":") > 1 && !strings.Contains(rest, "[") {
		if _, err := netip.ParseAddr(rest[:i]); err != nil {
			return d, fmt.Errorf("%q: want a port after an IPv6 address, such as [%s]:443", s, rest)
		}
		return d, fmt.Errorf("%q: an IPv6 address needs brackets before its port: [%s]%s", s, rest[:i], rest[i:])
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return d, fmt.Errorf("%q: want a port from 1 to 65535, such as m1:443/tcp", s)
	}
	d.port = uint16(n)
	return d, nil
}

// knownProtocol reports whether an exposure or IP itself can be of the protocol.
func knownProtocol(proto string) bool {
	n, ok := schema.ProtocolNumber(proto)
	return schema.HasPorts(proto) || proto == "icmp" || ok && schema.Protocol(n) == proto
}

// known refuses names that the spec does not have.
func known(c *schema.Cluster, o reachOptions, to destination) error {
	from := o.from
	a, err := netip.ParseAddr(from)
	if err == nil && (a.Is4In6() || a.Zone() != "") {
		return usageError{fmt.Sprintf("reach: --from: %q: want a plain address, such as %s", from, a.Unmap().WithZone(""))}
	}
	if err != nil && !slices.Contains(c.Zones(), from) && c.Node(from).Name == "" {
		return usageError{fmt.Sprintf("reach: --from: %q is neither a zone (%s), nor a node, nor an address", from, strings.Join(c.Zones(), ", "))}
	}
	if o.via != "" {
		return knownVia(c, o.via, to)
	}
	if len(c.NodesNamed(to.node)) == 0 {
		return usageError{fmt.Sprintf("reach: --to: %q is neither a node, nor an address of one, nor all, managers or workers; an address of another machine needs --via NODE", to.node)}
	}
	return nil
}

// knownVia refuses a way that is none.
func knownVia(c *schema.Cluster, via string, to destination) error {
	n := c.Node(via)
	if n.Name == "" {
		return usageError{fmt.Sprintf("reach: --via: %q is not a node", via)}
	}
	a, err := netip.ParseAddr(to.node)
	switch {
	case err != nil && c.Node(to.node).Name == "":
		return usageError{fmt.Sprintf("reach: --to: %q is neither a node nor an address", to.node)}
	case to.node == via || err == nil && slices.Contains(n.Addresses(), a):
		return usageError{fmt.Sprintf("reach: --to is %s itself: leave out --via", via)}
	}
	return nil
}
