package jsonschema

import (
	"regexp"
	"strings"
	"testing"
)

// TestPatternsAreEverybodys: editors run them in JavaScript, which spoils the whole schema over one that it does not know.
func TestPatternsAreEverybodys(t *testing.T) {
	text, err := Text()
	if err != nil {
		t.Fatal(err)
	}
	patterns := 0
	for _, p := range regexp.MustCompile(`"pattern": "(.*)"`).FindAllStringSubmatch(string(text), -1) {
		patterns++
		for _, own := range []string{"(?", `\\A`, `\\z`, `\\Q`, "[[:", `\\p`, `\\C`} {
			if strings.Contains(p[1], own) {
				t.Errorf("%s: %s is RE2's alone", p[1], own)
			}
		}
	}
	if patterns < 150 {
		t.Errorf("%d patterns", patterns)
	}
}
