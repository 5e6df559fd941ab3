package spec_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"skep.dev/schema/spec"
)

// BenchmarkStacks loads a cluster with 100 stacks of five services, and one with none: the difference is what stacks cost.
func BenchmarkStacks(b *testing.B) {
	for _, n := range []int{0, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			files := hundred(n)
			for b.Loop() {
				if _, _, err := spec.LoadFS(files, "cluster.yaml", spec.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// hundred is a spec with n stacks, each behind Traefik and with a published port.
func hundred(n int) fstest.MapFS {
	files := fstest.MapFS{}
	text := `name: paris
kind: swarm
domain: paris.example.org
nodes: {m1: {address: 10.0.0.11, role: manager}, m2: {address: 10.0.0.14, role: manager}, m3: {address: 10.0.0.15, role: manager}, w1: {address: 10.0.0.12}}
access: {management: [192.0.2.0/28], users: [198.51.100.0/24]}
network: {public: {subnet: 10.64.0.0/16}}
services: {traefik: {certificate: {selfSigned: {}}}, monitoring: {}}
stacks:
`
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		text += fmt.Sprintf("  %s: {compose: [%[1]s.yaml], values: {TAG: '1.2', DOMAIN: %[1]s.example.org}, networks: {proxy: {public: true}}, exposures: {web0: {from: [users]}}}\n", name)
		var services strings.Builder
		for k := range 5 {
			fmt.Fprintf(&services, `  web%d:
    image: registry.example.org/shop/web:${TAG}
    logging: *log
    environment: [MODE=prod, LEVEL=info, "URL=https://${DOMAIN}/"]
    volumes: ["data:/data"]
    networks: [proxy, default]
    healthcheck: {test: [CMD, "true"], interval: 30s}
    deploy:
      replicas: 2
      placement: {constraints: [node.hostname == w1]}
      labels:
        - traefik.enable=true
        - traefik.http.routers.%[2]s-%[1]d.rule=Host(`+"`www%[1]d.${DOMAIN}`"+`)
        - traefik.http.services.%[2]s-%[1]d.loadbalancer.server.port=80
`, k, name)
			if k == 0 {
				fmt.Fprintf(&services, "    ports: ['%d:80']\n", 20000+i)
			}
		}
		files[name+".yaml"] = &fstest.MapFile{Data: []byte("x-log: &log {driver: local}\nservices:\n" + services.String() + "volumes: {data: }\nnetworks: {proxy: {external: true}, default: }\n")}
	}
	if n == 0 {
		text = strings.TrimSuffix(text, "stacks:\n")
	}
	files["cluster.yaml"] = &fstest.MapFile{Data: []byte(text)}
	return files
}
