package compose

import (
	"testing"
	"testing/fstest"
)

func same(name string) string { return name }

// TestMerge reads a stack of two files, with anchors, values and a list that both add to.
func TestMerge(t *testing.T) {
	fsys := fstest.MapFS{
		"shop/compose.yaml": {Data: []byte(`# the shop
x-logging: &logging
  driver: json-file
  options: {max-size: "10m"}
services:
  # behind the proxy
  web:
    image: shop:${TAG}
    logging: *logging
    ports: ["8080-8081:80-81", "53:53/udp"]
    environment:
      - MODE=${MODE:-plain}
      - PRICE=5$$
    networks: [front]
  db:
    <<: {image: "postgres:17"}
    environment: {A: 1, B: "1"}
networks:
  front: {external: true, name: traefik-public}
`)},
		"shop/more.yaml": {Data: []byte(`services:
  web:
    ports: ["9000:9000"]
    environment: {MODE: loud}
  cache:
    image: valkey:8
`)},
	}
	p, found := Read(fsys, same, Request{Name: "shop", Files: []string{"shop/compose.yaml", "shop/more.yaml"}, Values: map[string]string{"TAG": "1.2"}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	web := p.Services["web"]
	if web.Image != "shop:1.2" || *web.Environment["MODE"] != "loud" || *web.Environment["PRICE"] != "5$" || len(web.Ports) != 4 || web.Logging.Driver != "json-file" {
		t.Errorf("got %+v", web)
	}
	for _, test := range []struct {
		path []string
		want place
	}{
		{[]string{"services", "web", "image"}, place{"shop/compose.yaml", 8, 12}},
		{[]string{"services", "web", "ports", "1"}, place{"shop/compose.yaml", 10, 13}},
		{[]string{"services", "web", "ports", "3", "target"}, place{"shop/more.yaml", 3, 13}},
		{[]string{"services", "web", "environment", "MODE"}, place{"shop/more.yaml", 4, 25}},
		{[]string{"services", "web", "environment", "PRICE"}, place{"shop/compose.yaml", 13, 9}},
		{[]string{"services", "web", "logging", "driver"}, place{"shop/compose.yaml", 3, 11}},
		{[]string{"services", "db", "image"}, place{"shop/compose.yaml", 16, 17}},
		{[]string{"networks", "front", "name"}, place{"shop/compose.yaml", 19, 33}},
		{[]string{"services", "web", "networks", "front"}, place{"shop/compose.yaml", 14, 16}},
	} {
		if file, line, column := p.Place(test.path...); (place{file, line, column}) != test.want {
			t.Errorf("%v stands in %s:%d:%d, want %v", test.path, file, line, column, test.want)
		}
	}
	if p.Comments["services.web"] != "behind the proxy" || len(p.Order["services"]) != 3 || p.Order["services"][2] != "cache" {
		t.Errorf("got comments %q, order %q", p.Comments, p.Order)
	}
}
