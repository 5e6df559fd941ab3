package schema

import (
	"testing"
)

func TestImageVersion(t *testing.T) {
	for image, want := range map[string]Version{
		"traefik:v3.7.13":                           {3, 7, 13},
		"docker.io/library/traefik:3.5":             {3, 5, newest},
		"registry:5000/traefik:v3@sha256:0123":      {3, newest, newest},
		"traefik:v3.6.1-alpine":                     {3, 6, 1},
		"traefik@sha256:0123":                       {},
		"traefik:mine":                              {newest, newest, newest},
		"registry.example.org/traefik-mirror:v1.0":  {},
		"registry.example.org:5000/library/traefik": {},
	} {
		got, ok := ImageVersion(image, "traefik")
		if ok != (want != Version{} && want[0] != newest) || ok && got != want {
			t.Errorf("ImageVersion(%s) = %v, %v", image, got, ok)
		}
	}
	if !(Version{3, 6, 0}).Less(Version{3, 6, 1}) || (Version{3, newest, newest}).Less(Version{3, 6, 1}) {
		t.Error("versions compare wrongly")
	}
	for _, v := range [][2]string{{"20.10", "29.0"}, {"28.5.1", "29.0"}, {"9.9", "10.0"}, {"29", "29.0.1"}} {
		if a, b := ParseVersion(v[0]), ParseVersion(v[1]); !a.Less(b) || b.Less(a) || a.Less(a) {
			t.Errorf("%s and %s compare wrongly", v[0], v[1])
		}
	}
	if got := ParseVersion("20.10"); got != (Version{20, 10, 0}) {
		t.Error(got)
	}
}
