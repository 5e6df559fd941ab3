package compose

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"skep.dev/schema/finding"
)

// ports looks at the short ports of all services. compose-go names no place for one that it cannot read, and writes out ranges.
func (r *reader) ports(f *file) {
	services := append([]entry{}, f.root.get("services").all()...)
	for _, b := range f.bases {
		services = append(services, entry{key: b.service, value: b.value})
	}
	for _, s := range services {
		ports := s.value.get("ports")
		if ports == nil {
			continue
		}
		sum := 0
		for i, item := range ports.items {
			if item.kind != scalar {
				continue
			}
			path := dotted([]string{"services", s.key, "ports", fmt.Sprint(i)})
			if sum += widest(item.text); sum > maxPorts {
				r.say(finding.TooBig, item.at, path, quoted(item.text), fmt.Sprintf("the service has more than %d ports: Swarm makes rules for each of them on every node", maxPorts))
				break
			}
			if _, err := types.ParsePortConfig(item.text); err != nil {
				r.say(finding.ComposeRule, item.at, path, quoted(item.text), `want a port such as "8080:80", "8080:80/udp" or "8000-8010:8000-8010"`)
			}
		}
	}
}

// widest is the number of ports in the widest range of a short port.
func widest(port string) int {
	most := 1
	for part := range strings.SplitSeq(strings.Split(port, "/")[0], ":") {
		first, last, ok := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if ok && err == nil && err2 == nil {
			most = max(most, to-from+1)
		}
	}
	return most
}
