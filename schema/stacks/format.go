package stacks

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"

	"skep.dev/schema"
	"skep.dev/schema/compose/format"
	"skep.dev/schema/finding"
)

// format finds what the engine would refuse, or do without, although a Compose file may say it.
func (s *stack) format() {
	oldest := s.Engine.Versions.From
	for _, part := range format.Newer(s.project.Project) {
		if schema.ParseVersion(oldest).Less(schema.ParseVersion(part.Engine)) {
			s.at(finding.EngineOlder, part.Path, "", "docker stack deploy reads it from engine %s on, and nodes may have %s: raise engine.versions.from, or leave it out", part.Engine, oldest)
		}
	}
	for _, service := range s.services() {
		if name := s.Name + "_" + service.name; len(name) > maxServiceName || !serviceName.MatchString(name) {
			s.at(finding.SwarmValue, service.path(), "", "no service can be called %s: want letters, digits and dashes, %d characters at most", name, maxServiceName)
		}
		s.choices(service)
		s.restart(service)
		s.tmpfs(service)
		for _, network := range s.project.Order["networks"] {
			if n := service.Networks[network]; n != nil && (n.Ipv4Address != "" || n.Ipv6Address != "") {
				s.at(finding.IgnoredKey, service.path("networks", network), "", "docker stack deploy drops the address: services reach each other by name on a network")
			}
		}
		if h := service.HealthCheck; h != nil && h.Disable && len(h.Test) > 0 {
			s.at(finding.SwarmValue, service.path("healthcheck"), "", "is disabled, and has a test: want one of them")
		}
	}
	for _, name := range s.project.Order["configs"] {
		if c := s.project.Configs[name]; !bool(c.External) && len(c.Content)+len(s.project.Contents[c.File]) == 0 {
			s.at(finding.SwarmValue, []string{"configs", name}, "", "is empty, and a swarm keeps no empty config: leave it out, or write something")
		}
	}
}

// What swarm takes as the name of a service, of which the stack's is a part.
var serviceName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$`)

const maxServiceName = 63

// choices are the words of deploy that the engine knows.
func (s *stack) choices(service service) {
	want := func(got string, words []string, path ...string) {
		if got != "" && !slices.Contains(words, got) {
			s.at(finding.SwarmValue, service.path(append([]string{"deploy"}, path...)...), got, "want %s", strings.Join(words, ", "))
		}
	}
	d := service.Deploy
	if d == nil {
		return
	}
	want(d.Mode, []string{"replicated", "global", "replicated-job", "global-job"}, "mode")
	want(d.EndpointMode, []string{"vip", "dnsrr"}, "endpoint_mode")
	if d.RestartPolicy != nil {
		want(d.RestartPolicy.Condition, []string{"none", "on-failure", "any"}, "restart_policy", "condition")
	}
	update := func(u *types.UpdateConfig, key string) {
		if u != nil { // a rollback that is to be rolled back stops, and anchors share the word
			want(u.FailureAction, []string{"pause", "continue", "rollback"}, key, "failure_action")
			want(u.Order, []string{"stop-first", "start-first"}, key, "order")
		}
	}
	update(d.UpdateConfig, "update_config")
	update(d.RollbackConfig, "rollback_config")
}

var restartPolicy = regexp.MustCompile(`^(no|always|unless-stopped|on-failure(:[0-9]{1,9})?)?$`)

func (s *stack) restart(service service) {
	if !restartPolicy.MatchString(service.Restart) {
		s.at(finding.SwarmValue, service.path("restart"), service.Restart, "want no, always, unless-stopped, on-failure, or on-failure:3")
	}
}

// tmpfs wants options that a mount of a swarm has.
func (s *stack) tmpfs(service service) {
	for i, text := range service.Tmpfs {
		_, options, _ := strings.Cut(text, ":")
		for option := range strings.SplitSeq(options, ",") {
			name, value, _ := strings.Cut(option, "=")
			at := service.path("tmpfs", strconv.Itoa(i))
			if name == "size" {
				if _, err := units.RAMInBytes(value); err != nil {
					s.at(finding.SwarmValue, at, value, "want a size such as 64m")
				}
			} else if name != "" {
				s.at(finding.IgnoredKey, at, option, "a tmpfs of a swarm has a size and nothing else: leave %s out", name)
			}
		}
	}
}
