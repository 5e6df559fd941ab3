package compose

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// BenchmarkRead is 100 stacks of 5 services.
func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	text.WriteString("x-log: &log {driver: local}\nservices:\n")
	for i := range 5 {
		fmt.Fprintf(&text, `  web%d:
    image: registry.example.org/shop/web:${TAG}
    logging: *log
    environment: [MODE=prod, LEVEL=info, "URL=https://${DOMAIN}/"]
    ports: ["80%02d:80"]
    volumes: ["data:/data", "/etc/ssl:/etc/ssl:ro"]
    networks: [proxy]
    healthcheck: {test: [CMD, "true"], interval: 30s}
    deploy:
      replicas: 2
      placement: {constraints: [node.role == worker]}
      labels:
        - traefik.enable=true
        - traefik.http.routers.web.rule=Host(`+"`www.${DOMAIN}`"+`)
`, i, i)
	}
	text.WriteString("volumes: {data: }\nnetworks: {proxy: {external: true}}\n")
	fsys := fstest.MapFS{"shop/compose.yaml": {Data: []byte(text.String())}}
	r := Request{Name: "shop", Files: []string{"shop/compose.yaml"}, Values: map[string]string{"TAG": "1", "DOMAIN": "example.org"}}
	for b.Loop() {
		for range 100 {
			if _, found := Read(fsys, same, r); len(found) > 0 {
				b.Fatal(found)
			}
		}
	}
}
