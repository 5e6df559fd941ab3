package stacks

import (
	"strings"
	"testing"
)

func TestParseRule(t *testing.T) {
	for text, want := range map[string]string{
		"Host(`a.example.org`)": "a.example.org",
		"Host(`A.example.org`) || Host(\"b.example.org\") && PathPrefix(`/x`)": "a.example.org b.example.org",
		"(Host(`a`) || !(Host(`b`) && Path(`/`))) && Header(`X-A`, `b,c)`)":    "a",
		"PathPrefix(`/x`)":      "",
		"!!Host(`a`)":           "a",
		"Host(`a`,`b`)":         "! Host with several values is of Traefik 2: write Host(`a`) || Host(`b`)",
		"Headers(`X-A`, `b`)":   "! the condition Headers is of Traefik 2: write Header(`X-A`, `b`)",
		"Hots(`a`)":             "! no condition of Traefik 3 is called \"Hots\"",
		"Host(`a`) Host(`b`)":   "! want && or || before \"Host(`b`)\"",
		"Host(a)":               "! want a value in backquotes before \"a)\"",
		"Host(`a`":              "! want , or ) before the end",
		"Host(`a":               "! a quote is not closed: \"`a\"",
		"(Host(`a`)":            "! want ) before the end",
		"":                      "! want a condition such as Host(`blog.example.org`) before the end",
		"Host(`a`) &&":          "! want a condition such as Host(`blog.example.org`) before the end",
		"Header(`a`)":           "! Header wants 2 values",
		strings.Repeat("(", 99): "! has more than 16 brackets in each other",
		"Host(`a`) & Host(`b`)": "! want && or || before \"& Host(`b`)\"",
		"Host(`a`)\x1b[31m":     "! want && or || before \"\\x1b[31m\"",
	} {
		found, err := parseRule(text)
		got := strings.Join(hosts(found), " ")
		if err != nil {
			got = "! " + err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	f.Add("(Host(`a`) || !Path(`/`)) && Header(`X`, `b`)")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = parseRule(text) // it ends, and without a panic
	})
}
