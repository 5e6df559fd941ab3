package written

import (
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"address", "public", "role", "labels", "ssh", "selfSigned"}
	for name, want := range map[string]string{
		"adress": "address", "adresss": "address", "rol": "role", "SSH": "ssh", "selfsigned": "selfSigned",
		"x": "", "": "", "zzzzzz": "", "lable": "labels", "pubilc": "public",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestLevenshtein(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"role", "rloe", 2}, {"same", "same", 0}} {
		if got := levenshtein(c.a, c.b); got != c.want {
			t.Errorf("levenshtein(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
