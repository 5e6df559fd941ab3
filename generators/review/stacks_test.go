package review

import "testing"

// A text of somebody's Compose file stays in its cell.
func TestCode(t *testing.T) {
	for text, want := range map[string]string{
		"nginx:1.29":        "`nginx:1.29`",
		"a`|b\n<i>\x1b[31m": "`a??b?<i>?[31m`",
	} {
		if got := code(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
