package stacks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/compose"
)

// service is a service of a Compose file.
type service struct {
	*types.ServiceConfig
	name string
}

// path is that of a field of the service in its Compose file.
func (s service) path(fields ...string) []string {
	return append([]string{"services", s.name}, fields...)
}

func (s service) isGlobal() bool { return strings.HasPrefix(compose.Mode(*s.ServiceConfig), "global") }

func (s service) startsFirst() bool {
	return s.Deploy != nil && s.Deploy.UpdateConfig != nil && s.Deploy.UpdateConfig.Order == "start-first"
}

// port is a published port.
type port struct {
	types.ServicePortConfig
	number uint16 // published
	at     []string
}

func (p port) isHost() bool { return p.Mode == "host" }

func (p port) proto() string {
	if p.Protocol == "" {
		return "tcp"
	}
	return p.Protocol
}

// String is such as "53/udp".
func (p port) String() string { return strconv.Itoa(int(p.number)) + "/" + p.proto() }

// ports are those of TCP and UDP that the service publishes by number.
func (s service) ports() []port {
	var out []port
	for i, p := range s.Ports {
		if n, err := strconv.ParseUint(p.Published, 10, 16); err == nil && n > 0 {
			if one := (port{p, uint16(n), s.path("ports", strconv.Itoa(i))}); one.proto() == "tcp" || one.proto() == "udp" {
				out = append(out, one)
			}
		}
	}
	slices.SortFunc(out, func(a, b port) int { return int(a.number) - int(b.number) })
	return out
}
