package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"skep.dev/generators/artifact"
	"skep.dev/generators/tls"
	"skep.dev/schema"
)

// configuration is daemon.json. An unknown key stops dockerd, so a key stands here only if the lowest engine version
// of the spec knows it. live-restore never does, since the swarm refuses it; nor does the image store of new engines
// (features), since a node that changes it loses sight of its images. "from" is the field of the spec that decides a key.
type configuration struct {
	Hosts        []string   `json:"hosts" from:"engine.ports.api"`
	TLSVerify    bool       `json:"tlsverify,omitempty"`
	TLSCA        string     `json:"tlscacert,omitempty" from:"engine.tls"`
	TLSCert      string     `json:"tlscert,omitempty" from:"engine.tls"`
	TLSKey       string     `json:"tlskey,omitempty" from:"engine.tls"`
	Metrics      string     `json:"metrics-addr,omitempty" from:"services.monitoring"`
	LogDriver    string     `json:"log-driver"`
	LogOptions   logOptions `json:"log-opts" from:"engine.logs"`
	Pools        []pool     `json:"default-address-pools" from:"engine.bridges"`
	MTU          int        `json:"mtu,omitempty" from:"network.mtu"`
	NoPrivileges bool       `json:"no-new-privileges"`
	Firewall     string     `json:"firewall-backend,omitempty" from:"engine.versions.from"`
}

// Keys returns all keys that skep may write: of a file that it wrote they are its own, and others are the node's.
func Keys() []string {
	var keys []string
	for _, k := range decided() {
		keys = append(keys, k.key)
	}
	return keys
}

// key is one of daemon.json, and the field of the spec that decides it, or "".
type key struct{ key, field string }

func decided() []key {
	var keys []key
	for f := range reflect.TypeFor[configuration]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, key{name, f.Tag.Get("from")})
	}
	return keys
}

// file is the configuration as a file of the bundle.
func (d configuration) file(path string) (artifact.File, error) {
	data, err := d.encode()
	f := artifact.File{Path: path, Mode: 0o644, Data: data}
	lines := strings.Split(string(data), "\n")
	for _, k := range decided() {
		first := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, fmt.Sprintf("  %q:", k.key)) })
		if first < 0 || k.field == "" {
			continue
		}
		last := first
		for strings.HasPrefix(lines[last+1], "   ") || strings.HasPrefix(lines[last+1], "  ]") || strings.HasPrefix(lines[last+1], "  }") {
			last++
		}
		f.Origins = append(f.Origins, artifact.Origin{First: first + 1, Last: last + 1, Field: k.field})
	}
	return f, err
}

// Reloads returns the keys that dockerd takes over on SIGHUP, in every engine from 20.10 on, once they have a value (moby:
// daemon/reload.go). None is skep's: they may be the node's own.
func Reloads() []string {
	return []string{
		"debug", "insecure-registries", "labels", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
		"registry-mirrors", "shutdown-timeout",
	}
}

// logOptions are strings in daemon.json, numbers too.
type logOptions struct {
	Size  string `json:"max-size"`
	Files string `json:"max-file"`
}

type pool struct {
	Base string `json:"base"`
	Size int    `json:"size"`
}

// daemon returns the configuration of the nodes of a role.
func daemon(c *schema.Cluster, role string) configuration {
	d := configuration{
		// Only managers serve the API over the network; workers keep to the socket that systemd hands over.
		Hosts:        []string{"fd://"},
		LogDriver:    "local",
		LogOptions:   logOptions{Size: c.Engine.Logs.Size, Files: strconv.Itoa(c.Engine.Logs.Files)},
		Pools:        []pool{{Base: c.Engine.Bridges.Subnet.String(), Size: c.Engine.Bridges.Size}},
		NoPrivileges: true,
	}
	if role == "manager" {
		d.Hosts = append(d.Hosts, "tcp://"+listen(c, c.Engine.Ports.API))
		d.TLSVerify = true
		d.TLSCA = path.Join(c.Engine.TLS, tls.CA)
		d.TLSCert = path.Join(c.Engine.TLS, tls.ServerCert)
		d.TLSKey = path.Join(c.Engine.TLS, tls.ServerKey)
	}
	if c.Network.MTU != MTU {
		d.MTU = c.Network.MTU
	}
	if row, ok := c.Exposure("engine-metrics"); ok {
		d.Metrics = listen(c, row.Port)
	}
	// The swarm refuses the nftables backend; the key that says so is known since 29.0.
	if !schema.ParseVersion(c.Engine.Versions.From).Less(schema.Version{29}) {
		d.Firewall = "iptables"
	}
	return d
}

// encode returns the configuration as an indented file.
func (d configuration) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("engine: daemon.json: %w", err)
	}
	return b.Bytes(), nil
}

// listen returns the address of every interface, of both families once a node has an IPv6 address: the file is one
// for all nodes of a role, and the firewall decides who may connect.
func listen(c *schema.Cluster, port uint16) string {
	six := slices.ContainsFunc(c.Nodes, func(n schema.Node) bool { return n.Address.Is6() || n.Public.Is6() })
	host := netip.IPv4Unspecified()
	if six {
		host = netip.IPv6Unspecified()
	}
	return netip.AddrPortFrom(host, port).String()
}
