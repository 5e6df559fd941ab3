package lab

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// app is a user's stack: a page behind Traefik, a port in host mode on one node, a secret, a config, a volume, and files that
// all of its tasks see.
const app = `services:
  # Its page is app.lab.example.org.
  web:
    image: ghcr.io/google/cadvisor:v0.60.6
    entrypoint: [/bin/standin, "${WORD}", ":8000"]
    networks: [traefik-public]
    configs: [{source: page, target: /page.txt}]
    secrets: [key]
    deploy:
      endpoint_mode: dnsrr
      placement: {constraints: [node.role == worker]}
      update_config: {order: start-first, failure_action: rollback, monitor: 15s}
      labels:
        - traefik.enable=true
        - traefik.http.routers.app.rule=Host(` + "`app.lab.example.org`" + `)
        - traefik.http.services.app.loadbalancer.server.port=8000
  raw:
    image: ghcr.io/google/cadvisor:v0.60.6
    entrypoint: [/bin/standin, raw, ":8000"]
    ports: [{mode: host, target: 8000, published: 7800}]
    volumes: [data:/data]
    deploy: {endpoint_mode: dnsrr}
  keeper:
    image: ghcr.io/google/cadvisor:v0.60.6
    entrypoint: [/bin/standin, keeper, ":8000"]
    # mounts
    deploy: {mode: global, placement: {constraints: [node.role == worker]}}
networks:
  traefik-public: {external: true}
volumes:
  data:
  files:
configs:
  page: {file: ./page.txt}
secrets:
  key: {file: ./key}
`

const appStack = `	stacks: app: {
		compose: ["app/compose.yaml"]
		values: WORD: "tenant"
		exposures: raw: from: ["users"]
		secrets: key: make: "password"
		volumes: {
			data: node: "w2"
			files: {share: "shop", path: "app/files"}
		}
	}
` + beforeAccess

// withoutShares is the lab's NFS server, and withShares one that applications write to.
const (
	withoutShares = `nfs: {server: "m1", path: "/srv/nfs"}`
	withShares    = `nfs: {server: "m1", path: "/srv/nfs", shares: shop: {path: "/srv/shop", mode: "read-write", owner: {uid: 1000, gid: 1001}}}`
)

// TestStack gives the cluster an application of its users: visitors reach its page and its port from their zone and from no
// other, an update changes it alone, a bad one is rolled back, and when the spec no longer has it, it goes and its data stays.
func TestStack(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: an application of the users takes some minutes; go test -run TestStack without it")
	}
	if *vm {
		t.Skip("-vm runs TestLab alone; leave it out to try an application")
	}
	l := newLab(t)
	compose := app
	if *kernel == "full" { // a lean one has no NFS client, and Docker mounts with the kernel's
		compose = strings.Replace(app, "# mounts", "volumes: [files:/files]", 1)
	}
	l.files = map[string]string{"app/compose.yaml": compose, "app/page.txt": "first\n"}
	l.spec = strings.Replace(l.spec, beforeAccess, appStack, 1)
	if !strings.Contains(l.spec, withoutShares) {
		t.Fatal("the spec has no NFS server without shares")
	}
	l.spec = strings.Replace(l.spec, withoutShares, withShares, 1)
	_ = l.part(t, "deploy", deploy) &&
		l.part(t, "reached", appReached) &&
		l.part(t, "files", appFiles) &&
		l.part(t, "second run", secondRun) &&
		l.part(t, "update", appUpdate) &&
		l.part(t, "bad update", appBadUpdate) &&
		l.part(t, "removed", appRemoved)
}

// says wants the application's page to answer with a word.
func (l *lab) says(t *testing.T, word string) {
	t.Helper()
	users := browser("users", l.address(t, "m1"), nil)
	users.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true // its name is in no certificate
	eventually(t, time.Minute, func() error {
		if code, _, text := page(t, users, "https://app.lab.example.org/", ""); code != http.StatusOK || !strings.Contains(text, "stand-in for "+word) {
			return fmt.Errorf("the application's page: %d %.200s", code, text)
		}
		return nil
	})
}

func appReached(t *testing.T, l *lab) {
	l.says(t, "tenant")
	for zone, want := range map[string]bool{"users": true, "nuvla": false, "management": false} {
		if open, err := passes(zone, l.address(t, "w2")+":7800", 2*time.Second); open != want || err != nil {
			t.Errorf("%s to port 7800 of w2: open is %v (%v), want %v", zone, open, err, want)
		}
	}
	if got := l.on(t, "m1", "docker secret ls --format '{{.Name}}' | grep app"); got != "app_key-r1" {
		t.Errorf("its secret is %s", got)
	}
}

// appFiles: what a task writes on one node is in the share of the server, is its owner's, and is there for the task of another
// node. Where the kernel has no client, a program takes its place.
func appFiles(t *testing.T, l *lab) {
	at := "nfs://" + l.address(t, "m1") + "/srv/shop/app/files/"
	put := func(node string) string { return "nfs-cp /etc/hostname '" + at + node + "?version=4' >/dev/null" }
	get := func(node string) string { return "nfs-cat '" + at + node + "?version=4'" }
	if *kernel == "full" {
		const files = `"/proc/$(docker inspect --format '{{.State.Pid}}' "$(docker ps --quiet --filter label=com.docker.swarm.service.name=app_keeper)")/root/files/"`
		put = func(node string) string { return "cat /etc/hostname >" + files + node }
		get = func(node string) string { return "cat " + files + node }
	}
	for _, node := range []string{"w1", "w2"} {
		l.on(t, node, put(node))
	}
	for _, node := range []string{"w1", "w2"} {
		other := map[string]string{"w1": "w2", "w2": "w1"}[node]
		if got := strings.TrimSpace(l.on(t, node, get(other))); got != other {
			t.Errorf("%s reads %q, which %s wrote", node, got, other)
		}
		if got := l.on(t, "m1", "cd /srv/shop/app/files && cat "+node+" && stat -c %u:%g "+node); got != node+"\n1000:1001" {
			t.Errorf("what %s wrote is %q on the server", node, got)
		}
	}
	readOnly := "nfs-cp /etc/hostname 'nfs://" + l.address(t, "m1") + "/srv/nfs/w1?version=4'"
	if *kernel == "full" {
		readOnly = mounting("rw", l.address(t, "m1"), `touch "$at/w1"`)
	}
	if out, err := l.try("w1", readOnly); err == nil {
		t.Errorf("w1 writes into what is read-only: %s", out)
	}
}

// appUpdate: another value is an update of that one service, and of nothing else.
func appUpdate(t *testing.T, l *lab) {
	others := func() string {
		return l.on(t, "m1", "docker service ps --quiet --filter desired-state=running app_raw traefik_traefik")
	}
	before := others()
	l.build(t, edit{`WORD: "tenant"`, `WORD: "guest"`})
	l.run(t)
	l.did(t, "stack-app m1")
	l.says(t, "guest")
	if others() != before {
		t.Error("tasks of services that did not change are others")
	}
}

// appBadUpdate: tasks that end at once are rolled back, the run says so, and visitors see what they saw before.
func appBadUpdate(t *testing.T, l *lab) {
	good := l.files["app/compose.yaml"]
	l.files["app/compose.yaml"] = strings.Replace(good, `[/bin/standin, "${WORD}", ":8000"]`, `[/bin/nothing, "${WORD}"]`, 1)
	l.build(t)
	l.runbook(t, "run", "--yes").want(t, 1, "the update of app_web is rollback")
	l.says(t, "guest")
	l.files["app/compose.yaml"] = good
	l.build(t)
	l.run(t)
	l.says(t, "guest")
}

// appRemoved: the stack, its secret and its port go; the volume stays.
func appRemoved(t *testing.T, l *lab) {
	l.build(t, edit{`WORD: "guest"`, `WORD: "tenant"`}, edit{appStack, beforeAccess})
	l.runbook(t, "run").want(t, 3)
	l.run(t)
	if got := l.on(t, "m1", "docker stack ls --format '{{.Name}}'; docker secret ls --format '{{.Name}}'"); strings.Contains(got, "app") {
		t.Errorf("of the application is left:\n%s", got)
	}
	l.on(t, "w2", "docker volume inspect app_data >/dev/null")
	l.on(t, "m1", "cat /srv/shop/app/files/w1 >/dev/null")
	if open, err := passes("users", l.address(t, "w2")+":7800", 2*time.Second); open || err != nil {
		t.Errorf("its port is open: %v %v", open, err)
	}
	l.settled(t)
}
