package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyName wants containers on each node to find every service by each of its names, on each network, and to reach
// whatever listens in each of its tasks.
func everyName(t *testing.T, l *lab) {
	networks := strings.Fields(l.on(t, "m1", "docker network ls --filter driver=overlay --filter label=skep.cluster --format '{{.Name}}'"))
	for _, network := range networks {
		l.on(t, "m1", fmt.Sprintf(`docker service create --detach --quiet --name asker-%s --mode global --no-resolve-image --network %[1]s \
			--entrypoint '/bin/busybox sleep 7200' "$(docker image ls --format '{{.Repository}}:{{.Tag}}' prom/node-exporter)" >/dev/null`, network))
		t.Cleanup(func() { l.on(t, "m1", "docker service rm asker-"+network+" >/dev/null") })
	}
	l.whole(t)
	began, asked := time.Now(), 0
	eventually(t, 2*time.Minute, func() error {
		asked = 0
		for _, network := range networks {
			there, err := l.there(t, network)
			if err != nil {
				return err
			}
			for _, node := range l.nodes(t) {
				if err := l.ask(node, network, there); err != nil {
					return fmt.Errorf("%s on %s: %w", network, node, err)
				}
			}
			asked += len(there.names) + len(there.doors)
		}
		return nil
	})
	t.Logf("%d names and ports on %s, found from each node, after %v", asked, strings.Join(networks, ", "), time.Since(began).Round(time.Second))
}

// found is what containers on one network have to find there.
type found struct {
	names map[string][]string // what a service is called, and the addresses that this leads to
	doors []string            // "ADDRESS PORT" of whatever listens in a task
}

// there reads from the swarm's own books, and on the nodes, what is on a network.
func (l *lab) there(t *testing.T, network string) (found, error) {
	t.Helper()
	out, tasks := found{names: map[string][]string{}}, map[string][]string{}
	text, err := l.try("m1", `docker service ps --quiet --no-trunc --filter desired-state=running $(docker service ls --quiet) | xargs docker inspect --type task \
		--format '{{$task := .}}{{range .NetworksAttachments}}{{if eq .Network.Spec.Name "`+network+`"}}{{$task.ServiceID}} {{$task.Status.State}} {{index .Addresses 0}}{{end}}{{end}}'`)
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, text)
	}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "running" {
			address, _, _ := strings.Cut(f[2], "/")
			tasks[f[0]] = append(tasks[f[0]], address)
		}
	}
	text, err = l.try("m1", `id=$(docker network inspect --format '{{.Id}}' `+network+`)
		docker service inspect $(docker service ls --quiet) --format "{{\$s := .}}{{range .Spec.TaskTemplate.Networks}}{{if eq .Target \"$id\"}}\
		{{\$s.ID}} {{range \$s.Endpoint.VirtualIPs}}{{if eq .NetworkID \"$id\"}}{{.Addr}}{{end}}{{end}}/ {{\$s.Spec.Name}}{{range .Aliases}} {{.}}{{end}}{{end}}{{end}}"`)
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, text)
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[2], "asker-") {
			continue
		}
		for _, name := range f[2:] {
			out.names["tasks."+name] = tasks[f[0]]
			out.names[name] = tasks[f[0]]
			// One address stands for all tasks, unless the service has it otherwise.
			if virtual, _, _ := strings.Cut(f[1], "/"); virtual != "" {
				out.names[name] = []string{virtual}
			}
		}
	}
	for _, node := range l.nodes(t) {
		text, err := l.try(node, `
			for id in $(docker ps --quiet --filter label=com.docker.swarm.service.name); do
				address=$(docker inspect --format '{{with index .NetworkSettings.Networks "`+network+`"}}{{.IPAddress}}{{end}}' "$id")
				[ -n "$address" ] || continue
				nsenter -t "$(docker inspect --format '{{.State.Pid}}' "$id")" -n ss -Hltn |
					awk -v own="$address" '{port = host = $4; sub(/.*:/, "", port); sub(/:[0-9]*$/, "", host)} host == own || host == "0.0.0.0" || host == "*" {print own, port}'
			done`)
		if err != nil {
			return out, fmt.Errorf("%s: %w: %s", node, err, text)
		}
		out.doors = append(out.doors, strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })...)
	}
	if len(out.names) == 0 || len(out.doors) == 0 {
		return out, fmt.Errorf("on %s are %d names and %d ports: that proves nothing", network, len(out.names), len(out.doors))
	}
	return out, nil
}

// ask has the container on a node look every name up, and knock at every door.
func (l *lab) ask(node, network string, there found) error {
	var script strings.Builder
	for name := range there.names {
		fmt.Fprintf(&script, "echo name %s $(nslookup -type=a %[1]s 127.0.0.11 2>/dev/null | sed -n '1,/^$/d; s/^Address.*: *//p')\n", name)
	}
	for _, door := range there.doors {
		fmt.Fprintf(&script, "nc -w 3 %s -e /bin/true 2>/dev/null || echo closed %[1]s\n", door)
	}
	out, err := l.try(node, fmt.Sprintf("docker exec -i $(docker ps --quiet --filter label=com.docker.swarm.service.name=asker-%s) sh <<'END'\n%sEND", network, script.String()))
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	var wrong []string
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if f[0] != "name" {
			wrong = append(wrong, strings.TrimSpace(line))
			continue
		}
		want, got := slices.Clone(there.names[f[1]]), f[2:]
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", f[1], got, want))
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}
