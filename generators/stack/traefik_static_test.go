package stack

import (
	"testing"

	"skep.dev/schema"
)

func TestSince(t *testing.T) {
	for image, want := range map[string]bool{
		"traefik:v3.7.13": true, "traefik:v3.7.12": true, "traefik:v3.7.11": false, "traefik:v3.6.12": false,
		"traefik:v3.10.0": true, "traefik:3.8": true, "traefik:v3.7": true, "traefik@sha256:00": true,
		"registry.example.org:5000/traefik:v3.6.1": false, "traefik:v4.0.0": true,
	} {
		if got := since(image, schema.Version{3, 7, 12}); got != want {
			t.Errorf("%s: got %v, want %v", image, got, want)
		}
	}
}
